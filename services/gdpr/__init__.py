"""The gdpr service: consent, the rights of data subjects, the audit log, and how long data is kept."""

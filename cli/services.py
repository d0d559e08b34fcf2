"""The suite's four services by name. Only the command line imports services; they do not know each other."""

from services.contacts.service import SERVICE as CONTACTS
from services.gdpr.service import SERVICE as GDPR
from services.insights.service import SERVICE as INSIGHTS
from services.interactions.service import SERVICE as INTERACTIONS

SUITE = {service.name: service for service in (CONTACTS, INTERACTIONS, INSIGHTS, GDPR)}

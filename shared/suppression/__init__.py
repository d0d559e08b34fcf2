"""What keeps erased people from coming back by an import or a synchronisation."""

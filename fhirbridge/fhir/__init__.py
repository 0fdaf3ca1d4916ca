"""Records <-> FHIR, and the servers that hold it."""

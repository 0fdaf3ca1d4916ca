"""fhirbridge for software agents: the MCP server and the skill."""

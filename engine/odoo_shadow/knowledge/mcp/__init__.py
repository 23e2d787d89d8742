"""The MCP server: AI systems search, describe and query the shadow through it, and can do nothing else."""

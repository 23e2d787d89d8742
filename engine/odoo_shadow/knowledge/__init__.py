"""The shadow as a source for AI systems: documents, embeddings, search, and an MCP server."""

"""The connection to the shadow's database: address, encryption, transactions, and what the server allows."""

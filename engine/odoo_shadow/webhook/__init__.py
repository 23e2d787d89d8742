"""Posts short reports to an incoming webhook, such as Mattermost's or Slack's. Knows neither Odoo nor PostgreSQL."""

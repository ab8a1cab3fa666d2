"""How an installation is configured: workspace files and, over REST, everything an admin sets, sees and undoes."""

"""The database and what protects it: connections, migrations, keys, retention. Knows no OAuth and no Calendly."""

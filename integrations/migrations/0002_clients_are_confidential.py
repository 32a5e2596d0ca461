"""A client has a secret, kept as a hash, and gets tokens for it and in no other way.

The table is of the library that issues tokens; the rule is ours. Not validated: a client that was set up otherwise
before stays until somebody mends it, and gets no token meanwhile (config/api/tokens.py).
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0001_initial"),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        migrations.RunSQL(
            r"""
            ALTER TABLE oauth2_provider_application ADD CONSTRAINT backline_client_is_confidential CHECK (
                client_type = 'confidential'
                AND authorization_grant_type = 'client-credentials'
                AND hash_client_secret
                AND client_secret ~ '^[a-z0-9_]+\$.+'
            ) NOT VALID
            """,
            "ALTER TABLE oauth2_provider_application DROP CONSTRAINT backline_client_is_confidential",
        ),
    ]

"""Where Slack's SDK keeps installations; tokens are longer than it thinks, since they are encrypted."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BOT = (
    "id serial PRIMARY KEY, client_id text NOT NULL, app_id text NOT NULL, enterprise_id text,"
    " enterprise_name text, team_id text, team_name text, bot_token text, bot_id text, bot_user_id text,"
    " bot_scopes text, bot_refresh_token text, bot_token_expires_at timestamp,"
    " is_enterprise_install boolean NOT NULL DEFAULT false, installed_at timestamp NOT NULL DEFAULT now()"
)
_INSTALLER = (
    "enterprise_url text, user_id text NOT NULL, user_token text, user_scopes text, user_refresh_token text,"
    " user_token_expires_at timestamp, incoming_webhook_url text, incoming_webhook_channel text,"
    " incoming_webhook_channel_id text, incoming_webhook_configuration_url text, token_type text"
)


def upgrade() -> None:
    """Makes the tables."""
    op.execute(f"CREATE TABLE slack_bots ({_BOT})")
    op.execute(f"CREATE TABLE slack_installations ({_BOT}, {_INSTALLER})")
    for table in ("slack_bots", "slack_installations"):
        op.execute(f"CREATE INDEX {table}_team ON {table} (client_id, team_id, installed_at)")
    op.execute(
        "CREATE TABLE slack_oauth_states"
        " (id serial PRIMARY KEY, state text NOT NULL, expire_at timestamp NOT NULL)"
    )


def downgrade() -> None:
    """Drops the tables."""
    op.execute("DROP TABLE slack_oauth_states, slack_installations, slack_bots")

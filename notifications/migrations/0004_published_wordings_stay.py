"""A version of a wording that was published stays as it is: what somebody was told can be read for ever."""

from django.db import migrations

STAYS = """
CREATE FUNCTION notifications_published_wording_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'published_wording_stays: % on % is refused; other words are published as a new version',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'published_wording_stays';
END
$$;
CREATE TRIGGER published_wording_stays
    BEFORE UPDATE OR DELETE ON notifications_templateversion
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION notifications_published_wording_stays();
"""
DROP = """
DROP TRIGGER published_wording_stays ON notifications_templateversion;
DROP FUNCTION notifications_published_wording_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_alerts_know_their_order")]

    operations = [migrations.RunSQL(STAYS, DROP)]

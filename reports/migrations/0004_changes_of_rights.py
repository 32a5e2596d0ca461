"""Every change of who may do what is recorded by the database itself, whatever made it, and by whom it was told."""

from django.db import migrations, models

#: Writes one change. Who does it is said by `reports.actions.access`; where nobody said so, it is the database's user.
RECORD = """
CREATE FUNCTION backline_record_access(
    what text, is_given boolean, person_id integer, role_id integer, role text, permission text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO reports_accesschange
        (at, transaction_id, actor, source, what, is_given, person_id, role_id, role, permission)
    VALUES (
        clock_timestamp(), pg_current_xact_id()::text::bigint,
        coalesce(nullif(current_setting('backline.actor', true), ''), 'database:' || session_user),
        coalesce(nullif(current_setting('backline.source', true), ''), 'database'),
        what, is_given, person_id, role_id, coalesce(role, ''), coalesce(permission, '')
    )
$$;
CREATE FUNCTION backline_role_name(key integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT name FROM auth_group WHERE id = key
$$;
CREATE FUNCTION backline_right_name(key integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT app_label || '.' || codename
    FROM auth_permission JOIN django_content_type ON django_content_type.id = content_type_id
    WHERE auth_permission.id = key
$$;
"""

#: {table}: of which table; {old} and {new}: what is recorded of a row that goes and of one that comes.
PAIRS = """
CREATE FUNCTION backline_{name}_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM backline_record_access({old});
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM backline_record_access({new});
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER backline_access_recorded AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION backline_{name}_changed();
"""
ROLE = "'role', {given}, {row}.user_id, {row}.group_id, backline_role_name({row}.group_id), ''"
ROLE_RIGHT = (
    "'role_right', {given}, NULL, {row}.group_id, backline_role_name({row}.group_id),"
    " backline_right_name({row}.permission_id)"
)
OWN_RIGHT = "'own_right', {given}, {row}.user_id, NULL, '', backline_right_name({row}.permission_id)"
ROLE_NAME = "'role_name', {given}, NULL, {row}.id, {row}.name, ''"


def pairs(name: str, table: str, values: str) -> str:
    """Return the trigger of a table whose rows each give something."""
    old, new = values.format(given="false", row="OLD"), values.format(given="true", row="NEW")
    return PAIRS.format(name=name, table=table, old=old, new=new)


#: An account has three switches; somebody who is gone has none of them on.
ACCOUNTS = """
CREATE FUNCTION backline_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM backline_record_access('account', false, OLD.id, NULL, '', switch)
        FROM unnest(ARRAY['is_active', 'is_staff', 'is_superuser']) AS switch;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM backline_record_access('account', true, NEW.id, NULL, '', switch.name)
        FROM (VALUES ('is_active', NEW.is_active), ('is_staff', NEW.is_staff), ('is_superuser', NEW.is_superuser))
            AS switch (name, is_on) WHERE switch.is_on;
        RETURN NULL;
    END IF;
    PERFORM backline_record_access('account', switch.is_on, NEW.id, NULL, '', switch.name)
    FROM (VALUES
        ('is_active', NEW.is_active, OLD.is_active),
        ('is_staff', NEW.is_staff, OLD.is_staff),
        ('is_superuser', NEW.is_superuser, OLD.is_superuser)
    ) AS switch (name, is_on, was_on) WHERE switch.is_on <> switch.was_on;
    RETURN NULL;
END
$$;
CREATE TRIGGER backline_access_recorded AFTER INSERT OR DELETE OR UPDATE OF is_active, is_staff, is_superuser
    ON auth_user FOR EACH ROW EXECUTE FUNCTION backline_account_changed();
"""

#: A right that is called otherwise from now on is another right to whoever reads: theirs is taken, the new one given.
RIGHTS = """
CREATE FUNCTION backline_right_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := (SELECT app_label FROM django_content_type WHERE id = OLD.content_type_id) || '.' || OLD.codename;
BEGIN
    PERFORM backline_record_access('role_right', given, NULL, group_id, backline_role_name(group_id),
        CASE WHEN given THEN backline_right_name(NEW.id) ELSE was END)
    FROM auth_group_permissions CROSS JOIN unnest(ARRAY[false, true]) AS given WHERE permission_id = NEW.id;
    PERFORM backline_record_access('own_right', given, user_id, NULL, '',
        CASE WHEN given THEN backline_right_name(NEW.id) ELSE was END)
    FROM auth_user_user_permissions CROSS JOIN unnest(ARRAY[false, true]) AS given WHERE permission_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER backline_access_recorded AFTER UPDATE OF codename, content_type_id ON auth_permission
    FOR EACH ROW EXECUTE FUNCTION backline_right_renamed();
"""

TABLES = ("auth_user", "auth_group", "auth_user_groups", "auth_group_permissions", "auth_user_user_permissions")
#: Emptying a table as a whole fires no trigger of a row.
NO_TRUNCATE = """
CREATE FUNCTION backline_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'truncate_refused: % may not be emptied as a whole: it would leave no trace of who lost what',
        TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'access_no_truncate';
END
$$;
""" + "".join(
    f"""
CREATE TRIGGER backline_access_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION backline_no_truncate();
"""
    for table in TABLES
)

APPEND_ONLY = """
CREATE TRIGGER reports_accesschange_append_only BEFORE UPDATE OR DELETE ON reports_accesschange
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
CREATE TRIGGER reports_accesschange_no_truncate BEFORE TRUNCATE ON reports_accesschange
    FOR EACH STATEMENT EXECUTE FUNCTION backline_append_only();
"""

#: What stood when the recording began.
BEGIN = """
SELECT set_config('backline.actor', 'system:recording', true), set_config('backline.source', 'as it stood', true);
SELECT backline_record_access('role_name', true, NULL, id, name, '') FROM auth_group;
SELECT backline_record_access('role_right', true, NULL, group_id, backline_role_name(group_id),
    backline_right_name(permission_id)) FROM auth_group_permissions;
SELECT backline_record_access('account', true, auth_user.id, NULL, '', switch.name) FROM auth_user
    CROSS JOIN LATERAL (VALUES ('is_active', is_active), ('is_staff', is_staff), ('is_superuser', is_superuser))
        AS switch (name, is_on) WHERE switch.is_on;
SELECT backline_record_access('role', true, user_id, group_id, backline_role_name(group_id), '') FROM auth_user_groups;
SELECT backline_record_access('own_right', true, user_id, NULL, '', backline_right_name(permission_id))
    FROM auth_user_user_permissions;
SELECT set_config('backline.actor', '', true), set_config('backline.source', '', true);
"""

DROP = (
    "".join(f"DROP TRIGGER backline_access_recorded ON {table};\n" for table in (*TABLES, "auth_permission"))
    + "".join(f"DROP TRIGGER backline_access_no_truncate ON {table};\n" for table in TABLES)
    + """
DROP TRIGGER reports_accesschange_append_only ON reports_accesschange;
DROP TRIGGER reports_accesschange_no_truncate ON reports_accesschange;
DROP FUNCTION backline_no_truncate(), backline_right_renamed(), backline_account_changed(), backline_role_changed(),
    backline_role_right_changed(), backline_own_right_changed(), backline_role_name_changed();
DROP FUNCTION backline_right_name(integer), backline_role_name(integer),
    backline_record_access(text, boolean, integer, integer, text, text);
"""
)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0002_rules_in_sql"),
        ("reports", "0003_exports_of_the_ledger"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(verbose_name="at")),
                ("transaction_id", models.BigIntegerField(verbose_name="transaction")),
                ("actor", models.CharField(max_length=80, verbose_name="by")),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("role", "Role of a person"),
                            ("role_right", "Right of a role"),
                            ("own_right", "Right of a person alone"),
                            ("account", "Account"),
                            ("role_name", "Name of a role"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("is_given", models.BooleanField(verbose_name="given")),
                ("person_id", models.IntegerField(null=True, verbose_name="person")),
                ("role_id", models.IntegerField(null=True, verbose_name="role's key")),
                ("role", models.CharField(blank=True, max_length=150, verbose_name="role")),
                ("permission", models.CharField(blank=True, max_length=220, verbose_name="right")),
            ],
            options={
                "verbose_name": "change of rights",
                "verbose_name_plural": "changes of rights",
                "ordering": ("-id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("what__in", ["role", "role_right", "own_right", "account", "role_name"])),
                        name="access_change_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("person_id__isnull", False), ("role_id__isnull", False), _connector="OR"),
                        name="access_change_is_of_somebody",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            RECORD
            + pairs("role", "auth_user_groups", ROLE)
            + pairs("role_right", "auth_group_permissions", ROLE_RIGHT)
            + pairs("own_right", "auth_user_user_permissions", OWN_RIGHT)
            + pairs("role_name", "auth_group", ROLE_NAME)
            + ACCOUNTS
            + RIGHTS
            + NO_TRUNCATE
            + APPEND_ONLY
            + BEGIN,
            DROP,
        ),
    ]

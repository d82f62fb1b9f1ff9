"""Room on the pages: on PostgreSQL a row that changes beside its old self needs no new entry in any index."""

from django.db import migrations

FILLED = {"offers_voucher": 80, "offers_offer": 50, "offers_usage": 70, "offers_watch": 50}


def leave_room(apps, editor):
    if editor.connection.vendor == "postgresql":
        for table, percent in FILLED.items():
            editor.execute(f"alter table {table} set (fillfactor = {percent})")


class Migration(migrations.Migration):
    dependencies = [("offers", "0001_initial")]
    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]

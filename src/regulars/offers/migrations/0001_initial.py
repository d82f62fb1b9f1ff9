import django.db.models.deletion
import django.db.models.expressions
import regulars.records.fields
from django.db import migrations, models


def leave_room(apps, editor):
    """On PostgreSQL a row that changes beside its old self needs no new entry in any index."""
    if editor.connection.vendor == "postgresql":
        for table, percent in {"offers_voucher": 80, "offers_usage": 70, "offers_watch": 50}.items():
            editor.execute(f"alter table {table} set (fillfactor = {percent})")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('ledger', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Mark',
            fields=[
                ('name', regulars.records.fields.Text(max_length=64, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('till', regulars.records.fields.Text(default='', max_length=32)),
                ('message_id', regulars.records.fields.Text(max_length=200)),
                ('call', regulars.records.fields.Text(max_length=12)),
                ('name', regulars.records.fields.Text(default='', max_length=100)),
                ('body', models.JSONField()),
                ('noted_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['noted_at'], name='event_noted')],
                'constraints': [models.UniqueConstraint(fields=('message_id', 'till'), name='told_once')],
            },
        ),
        migrations.CreateModel(
            name='Halt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', regulars.records.fields.Text(max_length=12)),
                ('key', regulars.records.fields.Text(max_length=64)),
                ('reason', regulars.records.fields.Text(max_length=200)),
                ('by', regulars.records.fields.Text(max_length=100)),
                ('at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('kind', 'key'), name='halted_once')],
            },
        ),
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('offer_id', regulars.records.fields.Text(max_length=64, primary_key=True, serialize=False)),
                ('campaign_id', regulars.records.fields.Text(db_index=True, max_length=64, null=True)),
                ('terms', models.TextField()),
                ('version', models.IntegerField(default=1)),
                ('made_at', models.DateTimeField()),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to='ledger.account')),
            ],
        ),
        migrations.CreateModel(
            name='Issuance',
            fields=[
                ('batch_id', regulars.records.fields.Text(max_length=64, primary_key=True, serialize=False)),
                ('wanted', models.BigIntegerField()),
                ('issued', models.BigIntegerField(default=0)),
                ('made_at', models.DateTimeField()),
                ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='offers.offer')),
            ],
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('person_id', regulars.records.fields.Text(max_length=32, primary_key=True, serialize=False)),
                ('root', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='offers.person')),
            ],
        ),
        migrations.CreateModel(
            name='Ordered',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order_id', regulars.records.fields.Text(max_length=64)),
                ('at', models.DateTimeField()),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='offers.person')),
            ],
        ),
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('token', regulars.records.fields.Text(max_length=48, primary_key=True, serialize=False)),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='offers.person')),
            ],
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', regulars.records.fields.Text(max_length=12)),
                ('key', regulars.records.fields.Text(max_length=100)),
                ('used', models.BigIntegerField()),
                ('most', models.BigIntegerField()),
                ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='offers.offer')),
            ],
        ),
        migrations.CreateModel(
            name='Voucher',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', regulars.records.fields.Text(max_length=40, unique=True)),
                ('guest_id', regulars.records.fields.Text(max_length=64, null=True)),
                ('issued_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('most_uses', models.BigIntegerField(default=1)),
                ('uses', models.BigIntegerField(default=0)),
                ('holds', models.BigIntegerField(default=0)),
                ('reserved_minor', models.BigIntegerField(default=0)),
                ('closed', regulars.records.fields.Text(default='', max_length=12)),
                ('batch', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='offers.issuance')),
                ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='offers.offer')),
            ],
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reservation_id', regulars.records.fields.Text(max_length=40)),
                ('till_id', regulars.records.fields.Text(max_length=32, null=True)),
                ('store_id', regulars.records.fields.Text(max_length=64)),
                ('order_id', regulars.records.fields.Text(max_length=64, null=True)),
                ('minor', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('until', models.DateTimeField(db_index=True)),
                ('is_open', models.BooleanField(default=True)),
                ('person', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='offers.person')),
                ('voucher', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='offers.voucher', to_field='code')),
            ],
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', regulars.records.fields.Text(max_length=12)),
                ('key', regulars.records.fields.Text(max_length=64)),
                ('per_minute', models.BigIntegerField()),
                ('minute', regulars.records.fields.Text(default='', max_length=16)),
                ('used', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='watched_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='issuance',
            constraint=models.CheckConstraint(condition=models.Q(('issued__gte', 0), ('issued__lte', models.F('wanted'))), name='issued_at_most_as_wanted'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(condition=models.Q(('root__isnull', False)), fields=['root'], name='person_of_root'),
        ),
        migrations.AddConstraint(
            model_name='ordered',
            constraint=models.UniqueConstraint(fields=('person', 'order_id'), name='ordered_once'),
        ),
        migrations.AddConstraint(
            model_name='usage',
            constraint=models.UniqueConstraint(fields=('offer', 'key', 'kind'), name='usage_of_one_cap'),
        ),
        migrations.AddConstraint(
            model_name='usage',
            constraint=models.CheckConstraint(condition=models.Q(('used__gte', 0), ('used__lte', models.F('most'))), name='usage_within_cap'),
        ),
        migrations.AddIndex(
            model_name='voucher',
            index=models.Index(condition=models.Q(('closed', '')), fields=['expires_at'], name='voucher_still_open'),
        ),
        migrations.AddIndex(
            model_name='voucher',
            index=models.Index(fields=['offer'], name='voucher_of_offer'),
        ),
        migrations.AddIndex(
            model_name='voucher',
            index=models.Index(condition=models.Q(('guest_id__isnull', False)), fields=['guest_id'], name='voucher_of_guest'),
        ),
        migrations.AddIndex(
            model_name='voucher',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch', 'id'], name='voucher_of_batch'),
        ),
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.CheckConstraint(condition=models.Q(('holds__gte', 0), ('reserved_minor__gte', 0), ('uses__gte', 0)), name='voucher_counts'),
        ),
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.CheckConstraint(condition=models.Q(('most_uses__gte', django.db.models.expressions.CombinedExpression(models.F('uses'), '+', models.F('holds')))), name='voucher_used_once'),
        ),
        migrations.AddIndex(
            model_name='reservation',
            index=models.Index(condition=models.Q(('is_open', True)), fields=['voucher'], name='open_reservations'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.UniqueConstraint(fields=('reservation_id', 'voucher'), name='reserved_once'),
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]

import django.db.models.deletion
import django.db.models.expressions
import regulars.records.fields
from django.db import migrations, models


def leave_room(apps, editor):
    """On PostgreSQL a row that changes beside its old self needs no new entry in any index."""
    if editor.connection.vendor == "postgresql":
        for table, percent in {"ledger_account": 50}.items():
            editor.execute(f"alter table {table} set (fillfactor = {percent})")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('budget_minor', models.BigIntegerField(default=0)),
                ('free_minor', models.BigIntegerField(default=0)),
                ('reserved_minor', models.BigIntegerField(default=0)),
                ('spent_minor', models.BigIntegerField(default=0)),
                ('cap', models.BigIntegerField(default=0)),
                ('free_uses', models.BigIntegerField(default=0)),
                ('reserved_uses', models.BigIntegerField(default=0)),
                ('spent_uses', models.BigIntegerField(default=0)),
                ('account_id', regulars.records.fields.Text(max_length=80, primary_key=True, serialize=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('budget_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('free_minor'), '+', models.F('reserved_minor')), '+', models.F('spent_minor')))), name='account_money_balances'), models.CheckConstraint(condition=models.Q(('cap', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('free_uses'), '+', models.F('reserved_uses')), '+', models.F('spent_uses')))), name='account_uses_balance'), models.CheckConstraint(condition=models.Q(('free_minor__gte', 0), ('free_uses__gte', 0), ('reserved_minor__gte', 0), ('reserved_uses__gte', 0), ('spent_minor__gte', 0), ('spent_uses__gte', 0)), name='account_never_overspent')],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('till', regulars.records.fields.Text(default='', max_length=32)),
                ('key', regulars.records.fields.Text(max_length=128)),
                ('fingerprint', regulars.records.fields.Text(max_length=64)),
                ('outcome', regulars.records.fields.Text(max_length=40)),
                ('text', models.TextField()),
                ('at', models.DateTimeField(db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key', 'till'), name='answered_once')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('budget_minor', models.BigIntegerField(default=0)),
                ('free_minor', models.BigIntegerField(default=0)),
                ('reserved_minor', models.BigIntegerField(default=0)),
                ('spent_minor', models.BigIntegerField(default=0)),
                ('cap', models.BigIntegerField(default=0)),
                ('free_uses', models.BigIntegerField(default=0)),
                ('reserved_uses', models.BigIntegerField(default=0)),
                ('spent_uses', models.BigIntegerField(default=0)),
                ('reference', regulars.records.fields.Text(max_length=40, unique=True)),
                ('verb', regulars.records.fields.Text(max_length=12)),
                ('subject', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField()),
                ('noted_at', models.DateTimeField()),
                ('counted_at', models.DateTimeField(null=True)),
                ('till_id', regulars.records.fields.Text(max_length=32, null=True)),
                ('store_id', regulars.records.fields.Text(max_length=64, null=True)),
                ('order_id', regulars.records.fields.Text(max_length=64, null=True)),
                ('guest_id', regulars.records.fields.Text(max_length=64, null=True)),
                ('person_id', regulars.records.fields.Text(max_length=32, null=True)),
                ('bill_minor', models.BigIntegerField(null=True)),
                ('reason', regulars.records.fields.Text(default='', max_length=200)),
                ('platform_minor', models.BigIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='ledger.account')),
                ('of', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='ledger.entry', to_field='reference')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('subject__isnull', False)), fields=['subject'], name='entry_of_subject'), models.Index(condition=models.Q(('of__isnull', False)), fields=['of'], name='entry_of_another'), models.Index(condition=models.Q(('person_id__isnull', False)), fields=['person_id'], name='entry_of_person'), models.Index(condition=models.Q(('order_id__isnull', False)), fields=['order_id'], name='entry_of_order'), models.Index(fields=['noted_at'], name='entry_noted')],
                'constraints': [models.CheckConstraint(condition=models.Q(('budget_minor', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('free_minor'), '+', models.F('reserved_minor')), '+', models.F('spent_minor')))), name='entry_money_balances'), models.CheckConstraint(condition=models.Q(('cap', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('free_uses'), '+', models.F('reserved_uses')), '+', models.F('spent_uses')))), name='entry_uses_balance')],
            },
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]

import django.db.models.deletion
import regulars.records.fields
from django.db import migrations, models


def complete_rows(apps, editor):
    """References are checked when a transaction ends, and PostgreSQL changes no table while some wait for it."""
    from regulars.offers.earlier import complete

    complete(editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0002_kept_counts'),
        ('offers', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('why', regulars.records.fields.Text(max_length=100)),
                ('till_id', regulars.records.fields.Text(max_length=32, null=True)),
                ('at', models.DateTimeField()),
                ('parted_at', models.DateTimeField(null=True)),
                ('parted_by', regulars.records.fields.Text(default='', max_length=100)),
                ('reason', regulars.records.fields.Text(default='', max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField()),
                ('terms', models.TextField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='ordered',
            name='ordered_once',
        ),
        migrations.AddField(
            model_name='ordered',
            name='is_cancelled',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='ordered',
            name='store_id',
            field=regulars.records.fields.Text(default='', max_length=64),
        ),
        migrations.AddField(
            model_name='reservation',
            name='counts',
            field=regulars.records.fields.Text(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name='voucher',
            name='version',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='reservation',
            name='until',
            field=models.DateTimeField(),
        ),
        migrations.AddIndex(
            model_name='alias',
            index=models.Index(fields=['person'], name='alias_of_person'),
        ),
        migrations.AddIndex(
            model_name='reservation',
            index=models.Index(condition=models.Q(('is_open', True)), fields=['until'], name='open_until'),
        ),
        migrations.AddConstraint(
            model_name='ordered',
            constraint=models.UniqueConstraint(fields=('person', 'order_id', 'store_id'), name='ordered_once'),
        ),
        migrations.AddField(
            model_name='link',
            name='one',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='offers.person'),
        ),
        migrations.AddField(
            model_name='link',
            name='other',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='offers.person'),
        ),
        migrations.AddField(
            model_name='version',
            name='offer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='offers.offer'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(fields=['other'], name='link_of_other'),
        ),
        migrations.AddConstraint(
            model_name='link',
            constraint=models.UniqueConstraint(fields=('one', 'other'), name='linked_once'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(fields=('offer', 'number'), name='version_once'),
        ),
        migrations.RunPython(complete_rows, migrations.RunPython.noop),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='till',
            name='is_sandbox',
            field=models.BooleanField(default=False),
        ),
    ]

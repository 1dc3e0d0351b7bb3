import click

from domain.model.instant import instant
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json, with_hub


@click.command()
@output_option
@explains_faults
def restored(output: str) -> None:
    """Say that the database was restored from a backup, before any process is started on it.

    What may have been sent since the backup was made is not sent again: its state is `unknown` until the provider, a
    receipt or its program's policy settles it. The hub is paused until `smshub resume`.
    """
    recovery = with_hub(lambda hub: hub.recover_from_backup()())
    since = instant(recovery.since_us)
    if output == "json":
        print_json({"Since": since, "MayHaveBeenSent": recovery.doubted})
        return
    click.echo(
        f"{recovery.doubted} deliveries may have been sent since {since}, and are unknown until that is settled."
    )
    click.echo("The hub is paused: start it, and let it send with `smshub resume`.")

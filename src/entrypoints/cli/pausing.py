import click

from entrypoints.cli.running import explains_faults, with_hub


@click.command()
@explains_faults
def pause() -> None:
    """Send nothing at all, hub-wide. Texts are accepted and wait; what is on its way this second goes out."""
    with_hub(lambda hub: hub.pause().hub(paused=True))
    click.echo("The hub sends nothing until `smshub resume`.")


@click.command()
@explains_faults
def resume() -> None:
    """Go on sending, hub-wide."""
    with_hub(lambda hub: hub.pause().hub(paused=False))
    click.echo("The hub sends again.")

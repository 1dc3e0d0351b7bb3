from alembic import context

from adapters.sql.tables import metadata

# SQLite cannot alter most of what a table has: there Alembic builds the table anew.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()

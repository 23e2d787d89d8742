import sys, time, logging, psycopg
logging.basicConfig(level=logging.WARNING)
from tools.embedded_postgres import embedded_postgres, new_database
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.views import relationships as r, postgrest
from odoo_shadow.shadow.views.named_views import renew_due_views
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.descriptions import Description
from tests.support.tables import make_table
from odoo_shadow.mirror.run.for_readers import update_for_readers
N=int(sys.argv[1])
def timed(what, f):
    t=time.perf_counter(); f(); print(f"{N} {what}: {time.perf_counter()-t:.2f}s", flush=True)
def m2o(name, model): return Column(name, ColumnType.BIGINT, name, "many2one", Description("L "+name, model))
with embedded_postgres() as s:
    url = new_database(s)
    with ShadowDatabase.from_url(url) as shadow:
        def make(extra=()):
            models = [f"x.model{i}" for i in range(N)]
            for i, m in enumerate(models):
                cols=[Column(f"f{k}", ColumnType.TEXT, f"f{k}", "char", Description(f"Field {k}")) for k in range(50)]
                cols+=[m2o("create_uid", models[0]), m2o("write_uid", models[0]), m2o("company_id", models[1]), m2o("partner_id", models[2])]
                cols+=[m2o(f"other{k}_id", models[(i*7+k*13)%N]) for k in range(3)]
                make_table(shadow, m, [*cols, *extra], label=m, name_path="f0")
        timed("tables", make)
        timed("named+public views", lambda: renew_due_views(shadow))
        timed("relationships", lambda: r.renew_relationships(shadow))
        timed("tell", lambda: postgrest.tell_postgrest(shadow))
        timed("views again", lambda: renew_due_views(shadow))
        timed("relationships again", lambda: r.renew_relationships(shadow))
        timed("tell again", lambda: postgrest.tell_postgrest(shadow))
        with psycopg.connect(url) as c:
            print("functions", c.execute("select count(*), count(*) filter (where prorows=1) from pg_proc where pronamespace='public'::regnamespace").fetchone())
            print("relations in public", c.execute("select count(*) from pg_class where relnamespace='public'::regnamespace and relkind='v'").fetchone())
            q="""with all_relations as (select reltype from pg_class where relkind in ('v','r','m','f','p')), computed_rels as (
      select (parse_ident(p.pronamespace::regnamespace::text))[1] as schema, p.proname::text as name, arg_schema.nspname::text as rel_table_schema, arg_name.typname::text as rel_table_name, ret_schema.nspname::text, ret_name.typname::text, not p.proretset or p.prorows = 1 as single_row
      from pg_proc p join pg_type arg_name on arg_name.oid = p.proargtypes[0] join pg_namespace arg_schema on arg_schema.oid = arg_name.typnamespace join pg_type ret_name on ret_name.oid = p.prorettype join pg_namespace ret_schema on ret_schema.oid = ret_name.typnamespace
      where p.pronargs = 1 and p.proargtypes[0] in (select reltype from all_relations) and p.prorettype in (select reltype from all_relations)) select * from computed_rels"""
            t=time.perf_counter(); rows=c.execute(q).fetchall(); print("computed rels", len(rows), f"{time.perf_counter()-t:.2f}s", sum(x[-1] for x in rows))
            open("/tmp/allq","a")
        with shadow.transaction() as tx:
            tx.run("SET CONSTRAINTS ALL IMMEDIATE")
        timed("revoke from PUBLIC", lambda: psycopg.connect(url, autocommit=True).execute("do $$ declare n text; begin for n in select relname from pg_class where relnamespace='public'::regnamespace and relkind='v' loop execute format('revoke all on public.%I from public; grant select on public.%I to pg_monitor', n, n); end loop; end $$"))
        timed("rights", lambda: r.renew_relationships(shadow))
        def widen():
            with shadow.transaction() as tx:
                from odoo_shadow.shadow.views.public_views import unpublish, publish
                unpublish(tx, "odoo_shadow_x_model0"); publish(tx, ["odoo_shadow_x_model0"])
        timed("drop+make the view of users", widen)
        timed("relationships after", lambda: r.renew_relationships(shadow))

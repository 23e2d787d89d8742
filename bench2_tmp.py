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

        with shadow.transaction() as tx:
            p=r._parts(tx)
            for name, q, extra in (("links", r._LINKS, dict(meta=tx.own(r.META), field=tx.own(r.FIELD), schema=tx.schema)),("found", r._FOUND, {}),("dep", r._DEPENDENT, {"view":"odoo_shadow_x_model0"})):
                t=time.perf_counter()
                rows=tx.run("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "+q, **p, **extra)
                print(name, time.perf_counter()-t); print("\n".join(x[0] for x in rows)[:6000])
            body=r._RIGHTS
            t=time.perf_counter(); r._renew_rights(tx); print("rights", time.perf_counter()-t)
            t=time.perf_counter(); r._recognize_views(tx); print("recognize", time.perf_counter()-t)

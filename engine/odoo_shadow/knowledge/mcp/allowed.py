"""The functions that a query may call, and the words that stand before a parenthesis without being functions.

None of these reads or writes anything but its arguments, runs SQL that is in a text, waits, or makes a long text of a
short one. A function that is missing here is refused, so that those of extensions, of other schemas and of later
versions of PostgreSQL are, too.
"""

from __future__ import annotations


def _listed(*groups: str) -> frozenset[str]:
    return frozenset(word for group in groups for word in group.split())


FUNCTIONS = _listed(
    # Aggregates and window functions.
    """
    count sum avg min max stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
    bool_and bool_or every bit_and bit_or any_value mode percentile_cont percentile_disc
    string_agg array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value grouping
    """,
    # Texts.
    """
    length char_length character_length octet_length lower upper initcap concat concat_ws left right substring substr
    position strpos starts_with trim btrim ltrim rtrim replace translate reverse split_part overlay ascii chr
    regexp_replace regexp_match regexp_matches regexp_count regexp_instr regexp_like regexp_substr
    regexp_split_to_array regexp_split_to_table string_to_array string_to_table quote_literal quote_ident
    md5 normalize to_char to_number to_hex
    to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline
    """,
    # Numbers.
    """
    abs ceil ceiling floor round trunc sign mod div power sqrt cbrt exp ln log log10 pi degrees radians
    sin cos tan asin acos atan atan2 greatest least width_bucket random gcd lcm factorial scale min_scale trim_scale
    """,
    # Dates and times.
    """
    now current_date current_time current_timestamp localtime localtimestamp date date_trunc date_part date_bin extract
    age make_date make_time make_timestamp make_timestamptz make_interval to_date to_timestamp timezone
    justify_days justify_hours justify_interval isfinite statement_timestamp transaction_timestamp clock_timestamp
    generate_series
    """,
    # NULLs, arrays and JSON.
    """
    coalesce nullif num_nulls num_nonnulls
    array_length array_position array_positions array_to_string array_append array_prepend array_cat array_remove
    array_replace array_upper array_lower array_ndims cardinality unnest
    json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json array_to_json
    json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_array_length
    jsonb_array_length json_each jsonb_each json_each_text jsonb_each_text json_object_keys jsonb_object_keys
    json_extract_path jsonb_extract_path json_extract_path_text jsonb_extract_path_text json_typeof jsonb_typeof
    json_strip_nulls jsonb_strip_nulls jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_path_exists
    jsonb_path_match jsonb_pretty
    """,
)

SEARCH_FUNCTIONS = frozenset({"odoo_shadow_search"})
"""Functions of the mirror's schema that a query may call: with the caller's own rights."""

SYNTAX = _listed(
    """
    select all distinct on from join lateral where and or not in exists any some as using values when then else case by
    having limit offset fetch between like ilike similar is over filter within group union except intersect with
    materialized array row rollup cube sets grouping cast ordinality return escape symmetric first next
    numeric decimal varchar char character varying timestamp timestamptz time timetz interval bit float
    halfvec vector
    """,
)
"""Words before a parenthesis that call no function: keywords, and types with a length."""

TYPES = _listed(
    """
    text varchar character char bpchar smallint integer int bigint int2 int4 int8 numeric decimal real double float
    float4 float8 boolean bool date time timetz timestamp timestamptz interval uuid json jsonb vector halfvec
    """
)
"""Types of which a value may be made; those of several words, such as double precision, by their first."""

NAMING_TYPES = _listed(
    """
    regclass regcollation regconfig regdatabase regdictionary regnamespace regoper regoperator regproc regprocedure
    regrole regtype
    """
)
"""Types that turn a number into a name of the catalogue, and that can stand nowhere."""

COLUMN_NAMES = _listed("name path line area height width host family network point box center log scale")
"""Names that people give to columns, and whose functions and types do no harm."""

BEFORE_TEXT = TYPES | _listed(
    """
    select distinct all any some where and or not in like ilike similar to escape between symmetric asymmetric then else
    when case having on limit offset by from for placing both leading trailing zone precision varying end return
    preceding following collate is using first next union except intersect as
    """
)
"""Words that may stand before a text in quotes."""

"""The functions that users' SQL may call: pure ones over values and rows. What is not here is refused."""

_NUMBERS = """
% & * ** + - / // << >> ^ | ~ abs acos add asin atan atan2 bit_count cbrt ceil ceiling cos cot degrees divide even exp fdiv floor fmod
gcd greatest isfinite isinf isnan lcm least ln log log10 log2 mod multiply nullif pi pow power radians random round round_even sign sin sqrt
subtract tan trunc xor
"""
_TEXT = """
!~~ !~~* ^@ || ~~ ~~* ~~~ ascii bar char_length character_length chr concat concat_ws contains ends_with format hash ilike_escape instr lcase
left len length like_escape lower lpad ltrim md5 not_ilike_escape not_like_escape position prefix printf regexp_escape regexp_extract
regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right rpad rtrim sha256 split
split_part starts_with str_split string_split string_split_regex strip_accents strlen strpos substr substring suffix translate trim ucase
unicode upper url_decode url_encode levenshtein jaccard jaro_winkler_similarity
"""
_TIMES = """
age century current_date current_localtime current_localtimestamp date_add date_diff date_part date_sub date_trunc datediff datepart datesub
datetrunc day dayname dayofmonth dayofweek dayofyear epoch epoch_ms epoch_us get_current_time get_current_timestamp hour isodow isoyear
last_day make_date make_time make_timestamp make_timestamptz microsecond millisecond minute month monthname now quarter second strftime
strptime time_bucket timezone to_days to_hours to_minutes to_months to_seconds to_timestamp to_weeks to_years today try_strptime week weekday
weekofyear year yearweek to_milliseconds to_microseconds
"""
_LISTS = """
-> ->> <@ @> && array_agg array_contains array_distinct array_extract array_length array_slice array_sort array_to_string array_value
array_zip cardinality element_at flatten generate_series json_array json_array_length json_contains json_exists json_extract
json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object json_keys json_object json_type json_valid
json_value list list_aggregate list_apply list_avg list_concat list_contains list_count list_distinct list_element list_extract list_filter
list_first list_has list_last list_max list_min list_pack list_position list_reduce list_reverse list_reverse_sort list_slice list_sort
list_sum list_transform list_unique list_value list_zip map map_entries map_extract map_from_entries map_keys map_values range row
row_to_json struct_extract struct_insert struct_pack to_json typeof unnest unpivot_list
"""
_GROUPS = """
any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min avg bit_and bit_or bit_xor bool_and bool_or corr count count_if
count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg first first_value fsum geomean group_concat histogram kurtosis lag
last last_value lead listagg mad max max_by mean median min min_by mode nth_value ntile percent_rank product quantile quantile_cont
quantile_disc rank rank_dense regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope row_number sem skewness stddev stddev_pop
stddev_samp string_agg sum var_pop var_samp variance
"""
_PLACES = """
st_area st_area_spheroid st_asgeojson st_astext st_aswkb st_boundary st_buffer st_centroid st_closestpoint st_collect st_contains
st_convexhull st_coveredby st_covers st_crosses st_difference st_dimension st_disjoint st_distance st_distance_sphere st_distance_spheroid
st_dump st_dwithin st_dwithin_spheroid st_endpoint st_envelope st_envelope_agg st_equals st_extent st_extent_agg st_exteriorring
st_flipcoordinates st_force2d st_geometrytype st_geomfromgeojson st_geomfromtext st_geomfromwkb st_intersection st_intersection_agg
st_intersects st_isempty st_isvalid st_length st_length_spheroid st_linemerge st_makeenvelope st_makeline st_makepoint st_makepolygon
st_makevalid st_multi st_ngeometries st_normalize st_npoints st_numgeometries st_numpoints st_overlaps st_perimeter st_perimeter_spheroid
st_point st_pointn st_pointonsurface st_points st_reverse st_shortestline st_simplify st_simplifypreservetopology st_startpoint
st_symdifference st_touches st_transform st_union st_union_agg st_within st_x st_xmax st_xmin st_y st_ymax st_ymin st_z
"""

FUNCTIONS = frozenset(name for names in (_NUMBERS, _TEXT, _TIMES, _LISTS, _GROUPS, _PLACES) for name in names.split())

"""The actions of CKAN 2.12 by how much clients need them, and why some are not the same here."""

_EVERY_CLIENT = """package_search package_show package_list status_show organization_list organization_show group_list group_show resource_show
datastore_search datastore_search_sql datastore_info tag_list license_list current_package_list_with_resources help_show"""
_WRITERS = """package_create package_update package_patch package_revise package_delete dataset_purge resource_create resource_update
resource_patch resource_delete organization_create organization_update organization_patch organization_delete group_create group_update
group_patch group_delete datastore_create datastore_upsert datastore_delete datastore_records_delete api_token_create api_token_list
api_token_revoke user_show user_list organization_list_for_user group_list_authz"""
_WHOLE = """package_autocomplete organization_autocomplete group_autocomplete tag_autocomplete user_autocomplete format_autocomplete
resource_search tag_search tag_show vocabulary_list vocabulary_show vocabulary_create vocabulary_update vocabulary_delete tag_create tag_delete
group_package_show member_list member_create member_delete member_roles_list organization_member_create organization_member_delete
group_member_create group_member_delete package_owner_org_update package_resource_reorder bulk_update_private bulk_update_public
bulk_update_delete resource_view_list resource_view_show resource_view_create resource_view_update resource_view_delete
resource_view_reorder resource_view_clear package_create_default_resource_views resource_create_default_resource_views
recently_changed_packages_activity_list package_activity_list organization_activity_list group_activity_list user_activity_list activity_show
activity_data_show activity_diff activity_create dashboard_activity_list dashboard_new_activities_count dashboard_mark_activities_old
dataset_follower_count dataset_follower_list group_follower_count group_follower_list organization_follower_count organization_follower_list
user_follower_count user_follower_list follow_dataset follow_group follow_organization follow_user unfollow_dataset unfollow_group
unfollow_organization unfollow_user am_following_dataset am_following_group am_following_organization am_following_user followee_count
followee_list dataset_followee_count dataset_followee_list group_followee_count group_followee_list organization_followee_count
organization_followee_list user_followee_count user_followee_list package_relationship_create package_relationship_update
package_relationship_delete package_relationships_list package_collaborator_create package_collaborator_delete package_collaborator_list
package_collaborator_list_for_user user_create user_update user_patch user_delete user_invite organization_purge group_purge"""
_ADMINS = """job_list job_show job_cancel job_clear config_option_list config_option_show config_option_update task_status_show
task_status_update task_status_update_many task_status_delete term_translation_show term_translation_update term_translation_update_many
get_site_user send_email_notifications datastore_function_create datastore_function_delete datastore_run_triggers datapusher_submit
datapusher_hook datapusher_status file_create file_register file_delete file_show file_rename file_pin file_unpin file_ownership_transfer
file_owner_scan"""

TIERS: dict[str, tuple[str, ...]] = {
    "What every client asks": tuple(_EVERY_CLIENT.split()),
    "What those who write need": tuple(_WRITERS.split()),
    "The rest of the API": tuple(_WHOLE.split()),
    "What runs a CKAN itself": tuple(_ADMINS.split()),
}

_FEED = "what a feed file says of a dataset is changed in the file: refused, and the file named"
_THEMES = "the European themes are groups of every hub"
_USERS = "accounts are shown to those who run the hub, to admins of organisations, and each to itself"
_MEMBERS = "members are shown to members and to those who run the hub"
_FOLLOWERS = "who follows what is shown to the followers and to those who run the hub; counts to everybody"
_VIEWS = "the portal draws every resource that it can: none are made"
_MEMBERSHIP = "a dataset changes its organisation by `package_owner_org_update` alone"

#: By action: (verdict, why). Needed wherever an answer is not CKAN's.
DIFFERENCES: dict[str, tuple[str, str]] = {
    "package_search": (
        "differs",
        "no Solr: German stems, umlauts and compound words are found, and slips of the pen; the order by score is the hub's own",
    ),
    "status_show": ("differs", "also `stadthub_version`; no extensions are named"),
    "group_list": ("differs", _THEMES),
    "group_show": ("differs", f"{_THEMES}; {_MEMBERS}"),
    "group_update": ("stricter", f"{_THEMES}, and their words can't be changed"),
    "group_patch": ("stricter", f"{_THEMES}, and their words can't be changed"),
    "group_create": ("stricter", f"{_THEMES}: their names are taken"),
    "organization_show": ("stricter", _MEMBERS),
    "member_list": ("stricter", _MEMBERS),
    "member_create": ("stricter", f"{_MEMBERSHIP}; {_FEED}"),
    "member_delete": ("stricter", f"{_MEMBERSHIP}; {_FEED}"),
    "user_list": ("stricter", _USERS),
    "user_show": ("stricter", f"{_USERS}; `email_hash` is empty"),
    "user_autocomplete": ("stricter", _USERS),
    "user_activity_list": ("stricter", _USERS),
    "user_create": ("differs", "no password and no e-mail address are needed; id and created may come along from another catalogue"),
    "user_invite": ("stricter", "the hub sends no invitations: refused with the actions that do the same"),
    "package_collaborator_list": ("stricter", "shown to those who may write the dataset; CKAN itself fails (500) when a stranger asks"),
    "api_token_create": ("stricter", "those who run the hub make tokens, so that no token outlives the one that made it"),
    "package_create": (
        "stricter",
        "addresses that run something (`javascript:`, `data:`, …) are refused, ids are UUIDs; times and makers may come along from another catalogue",
    ),
    "package_update": ("stricter", f"as `package_create`; {_FEED}"),
    "package_patch": ("stricter", f"as `package_create`; {_FEED}"),
    "package_revise": ("stricter", f"as `package_create`; {_FEED}"),
    "package_delete": ("stricter", _FEED),
    "dataset_purge": ("stricter", _FEED),
    "package_owner_org_update": ("stricter", _FEED),
    "package_resource_reorder": ("stricter", _FEED),
    "resource_create": ("stricter", f"as `package_create`; {_FEED}"),
    "resource_update": ("stricter", f"as `package_create`; {_FEED}"),
    "resource_patch": ("stricter", f"as `package_create`; {_FEED}"),
    "resource_delete": ("stricter", _FEED),
    "bulk_update_private": ("stricter", _FEED),
    "bulk_update_public": ("stricter", _FEED),
    "bulk_update_delete": ("stricter", _FEED),
    "package_create_default_resource_views": ("differs", _VIEWS),
    "resource_create_default_resource_views": ("differs", _VIEWS),
    "activity_create": ("stricter", "activities are made by what is done, never by hand"),
    **{f"{kind}_follower_list": ("stricter", _FOLLOWERS) for kind in ("dataset", "group", "organization", "user")},
    **{f"{kind}followee_list": ("stricter", _FOLLOWERS) for kind in ("", "dataset_", "group_", "organization_", "user_")},
    "datastore_search": ("differs", "also `_links`, `as_of`, and German words in `q`; datasets of feeds are tables too"),
    "datastore_search_sql": ("stricter", "one SELECT in PostgreSQL's words, read before it runs in a sandbox; no refusal gives SQL away"),
    "datastore_create": ("stricter", "triggers are refused: no functions run in the hub's tables; a field's type stays"),
    "vocabulary_create": ("differs", "a vocabulary of the same name has the same id in every hub"),
}

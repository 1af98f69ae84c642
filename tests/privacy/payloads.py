"""One payload of each kind that a WLAN connector reads, with identifiers where such payloads hold them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NOW = datetime.now(UTC).replace(microsecond=0)
TIME = NOW.isoformat()


def meshviewer(who: Mapping[str, str]) -> Any:
    node = {
        "node_id": who["bare"],
        "mac": who["colons"],
        "hostname": who["owner"],
        "owner": who["mail"],
        "contact": who["phone"],
        "addresses": [who["eui64"], who["ipv6"]],
        "is_online": True,
        "clients": 8,
        "clients_wifi24": 5,
        "clients_wifi5": 3,
        "lastseen": TIME,
        "location": {"longitude": 11.5, "latitude": 50.9},
        "gateway": who["upper"],
    }
    return {"timestamp": TIME, "nodes": [node, {**node, "node_id": "other"}], "links": [{"source": who["dashes"], "source_tq": 1}]}


def nodelist(who: Mapping[str, str]) -> Any:
    status = {"online": True, "clients": 4, "lastcontact": TIME}
    node = {"id": who["bare"], "name": who["owner"], "href": who["url"], "status": status, "position": {"lat": 50.9, "long": 11.5}}
    return {"updated_at": TIME, "community": {"name": "Musterstadt"}, "nodes": [node, {**node, "id": "other"}]}


def _answer(who: Mapping[str, str]) -> dict[str, Any]:
    return {
        "nodeinfo": {
            "node_id": who["bare"],
            "hostname": who["station"],
            "owner": {"contact": who["mail"]},
            "network": {"mac": who["colons"], "addresses": [who["eui64"]]},
            "location": {"longitude": 11.5, "latitude": 50.9},
        },
        "statistics": {
            "clients": {"total": 9, "wifi24": 5, "wifi5": 4},
            "traffic": {"rx": {"bytes": 5}, "tx": {"bytes": 6}},
            "gateway": who["colons"],
        },
    }


def hopglass(who: Mapping[str, str]) -> Any:
    node = {**_answer(who), "flags": {"online": True}, "lastseen": TIME}
    return {"version": 2, "timestamp": TIME, "nodes": [node, {**node, "nodeinfo": {"node_id": "other"}}]}


def hopglass_by_id(who: Mapping[str, str]) -> Any:
    return {"version": 1, "timestamp": TIME, "nodes": {who["bare"]: {**_answer(who), "flags": {"online": True}}}}


def respondd(who: Mapping[str, str]) -> Any:
    return {**_answer(who), "neighbours": {"batadv": {who["colons"]: {"neighbours": {who["dashes"]: {"tq": 255}}}}}}


def unifi(who: Mapping[str, str]) -> Any:
    point = {
        "_id": "574e8bde",
        "type": "uap",
        "mac": who["colons"],
        "ip": who["ipv4"],
        "name": who["owner"],
        "state": 1,
        "last_seen": int(NOW.timestamp()),
        "num_sta": 6,
        "rx_bytes": 5,
        "tx_bytes": 6,
        "radio_table_stats": [{"radio": "ng", "cu_total": 20, "num_sta": 6}],
        "vap_table": [{"essid": who["ssid"], "bssid": who["colons"], "sta_table": [{"mac": who["dashes"], "hostname": who["station"]}]}],
    }
    return {"meta": {"rc": "ok"}, "data": [point, {**point, "mac": "other"}]}


def wlan_counts(who: Mapping[str, str]) -> Any:
    point = {"serial": who["bare"], "name": who["station"], "ip": who["ipv4"], "status": "up", "clients": 12, "time": TIME}
    return {"aps": [point, {**point, "serial": "other"}]}


def meraki_scanning(who: Mapping[str, str]) -> Any:
    client = {
        "clientMac": who["colons"],
        "ssid": who["ssid"],
        "ipv4": who["ipv4"],
        "ipv6": who["ipv6"],
        "userId": who["mail"],
        "os": who["station"],
        "latestRecord": {"time": TIME, "nearestApMac": who["dashes"]},
        "locations": [{"time": TIME, "lat": 50.9, "lng": 11.5, "rssiRecords": [{"apMac": who["dashes"], "rssi": -50}]}],
    }
    data = {"networkId": "N_1", "observations": [client, {**client, "clientMac": "02:00:00:00:00:01"}]}
    return {"version": "3.0", "secret": who["phone"], "type": "WiFi", "data": data}


#: The decoder, its options, and what makes its payload.
KINDS = {
    "meshviewer": ("meshviewer", "", meshviewer),
    "nodelist": ("nodelist", "", nodelist),
    "hopglass": ("hopglass", "", hopglass),
    "hopglass-by-id": ("hopglass", "", hopglass_by_id),
    "respondd": ("respondd", "", respondd),
    "unifi": ("unifi", "", unifi),
    "wlan-counts": (
        "wlan_counts",
        'rows = "aps"\nid = "serial"\nlabel = "name"\nonline = "status"\ntime = "time"\nvalues = { wifi_clients = "clients" }',
        wlan_counts,
    ),
    "meraki-scanning": ("meraki_scanning", "", meraki_scanning),
}

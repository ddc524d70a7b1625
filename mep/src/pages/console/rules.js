// DNS rules, traffic rules and what the data plane can do.

import { breakable, element, fill, pill, second } from "./dom.js";
import { bytes, number } from "./format.js";
import { listing } from "./listing.js";

const STATES = { ACTIVE: "good", INACTIVE: "" };

export function rules() {
  const capabilities = element("div");
  const names = listing({
    heading: "DNS rules",
    empty: "No application has DNS rules.",
    key: (item) => `${item.appInstanceId}/${item.rule.dnsRuleId}`,
    words: ({ appInstanceId, rule }) => [appInstanceId, rule.dnsRuleId, rule.domainName, rule.ipAddress, rule.state],
    columns: [
      { label: "Name", lead: true, cell: ({ rule }) => [rule.domainName, second(rule.dnsRuleId)] },
      { label: "State", cell: ({ rule }) => pill(rule.state, STATES[rule.state] ?? "") },
      { label: "Address", cell: ({ rule }) => [rule.ipAddress, second(rule.ipAddressType === "IP_V6" ? "AAAA" : "A")] },
      { label: "TTL", number: true, cell: ({ rule }) => (rule.ttl === undefined ? null : `${number(rule.ttl)} s`) },
      { label: "Application", cell: (item) => item.appInstanceId },
    ],
  });
  const traffic = listing({
    heading: "Traffic rules",
    empty: "No application has traffic rules.",
    key: (item) => `${item.appInstanceId}/${item.rule.trafficRuleId}`,
    words: ({ appInstanceId, rule }) => [appInstanceId, rule.trafficRuleId, rule.action, rule.state, JSON.stringify(rule.trafficFilter)],
    columns: [
      { label: "Rule", lead: true, cell: ({ rule }) => [rule.trafficRuleId, second(`${rule.filterType}, priority ${rule.priority}`)] },
      { label: "State", cell: ({ rule }) => pill(rule.state, STATES[rule.state] ?? "") },
      { label: "Action", cell: ({ rule }) => [breakable(rule.action), destination(rule.dstInterface)] },
      { label: "Traffic", wide: true, cell: ({ rule }) => filters(rule.trafficFilter) },
      { label: "Matched", restless: true, number: true, cell: ({ matched }) => matched && [`${number(matched.packets)} packets`, second(bytes(matched.bytes))] },
      { label: "Application", cell: (item) => item.appInstanceId },
    ],
  });
  const root = element("div", {}, element("h1", {}, "Rules"), capabilities, names.root, traffic.root);
  const update = (values) => {
    if (values.dataPlane) fill(capabilities, plane(values.dataPlane));
    names.update(values.dnsRules);
    traffic.update(values.trafficRules);
  };
  return { root, update, needs: ["dnsRules", "trafficRules", "dataPlane"] };
}

function plane({ backend, available, remarks, actions, tunnelTypes }) {
  const words = available
    ? `Traffic rules are put in force by ${backend}: ${actions.join(", ")}${tunnelTypes.length > 0 ? `; tunnels: ${tunnelTypes.join(", ")}` : ""}.`
    : `Traffic rules cannot be put in force (${backend}).`;
  const limits = remarks.length > 0 && element("ul", { class: "notice" }, remarks.map((remark) => element("li", {}, remark)));
  return [element("p", { class: available ? "" : "notice" }, words), limits];
}

/** One interface, or a list of them. */
function destination(interfaces) {
  if (!interfaces) return null;
  return [interfaces].flat().map((one) => second(`to ${[one.dstIpAddress, one.dstMACAddress ?? one.dstMacAddress, one.tunnelInfo?.tunnelType, one.tunnelInfo?.tunnelDstAddress].filter(Boolean).join(" ") || one.interfaceType}`));
}

const FILTERS = {
  protocol: "protocol", srcAddress: "from", dstAddress: "to", srcPort: "from port", dstPort: "to port", tag: "tag",
  srcTunnelAddress: "tunnel from", tgtTunnelAddress: "tunnel to", srcTunnelPort: "tunnel from port", dstTunnelPort: "tunnel to port",
  qCI: "QCI", dSCP: "DSCP", tC: "TC",
};

/** As people say it, what is not known last. */
const ORDER = Object.keys(FILTERS);

function filters(list) {
  const place = ([name]) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const texts = (list ?? []).map((filter) => Object.entries(filter).sort((one, other) => place(one) - place(other))
    .map(([name, value]) => `${FILTERS[name] ?? name} ${[value].flat().join(" or ")}`)
    .join(", ") || "everything");
  return texts.map((text, index) => (index === 0 ? text : second(`or ${text}`)));
}

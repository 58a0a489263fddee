// Package descriptor reads data service descriptors (.dbs) into the domain.
//
// Parse accepts what the original accepts and works there, and refuses what it
// would ignore in silence: unknown elements, attributes and values, references
// to nothing. It lists every fault of a file at once, each with line and column
// (in characters, from 1) and, for a name, the nearest valid one. What is
// described well and not served yet goes to Service.Unsupported, for that
// element, operation or resource alone; the rest is served.
//
// The XML is hardened: UTF-8 (or ISO-8859-1, if declared), no document type, one
// root, declared prefixes, no attribute twice, and bounds on everything.
//
// # Beyond the original
//
// A descriptor's elements are in no namespace. Belfry's own are in
// dataservice.BelfryNamespace, and only an <event-trigger> has some:
//
//		<event-trigger id="low" xmlns:b="https://github.com/seed42aab489/belfry/ns/dbs"
//		               b:mode="edge" b:hold="5m" b:cool-down="1h" b:digest="15m" b:language="CEL">
//		   <expression>rows.exists(r, r.stock &lt; 10)</expression>
//		   <target-topic>low</target-topic>
//		   <subscriptions>
//		      <subscription>mailto:shop@example.org</subscription>
//		   </subscriptions>
//		   <b:re-arm>rows.all(r, r.stock &gt; 15)</b:re-arm>
//		   <b:subject>Low: {{.Found}}</b:subject>
//		   <b:body>{{.Table}}</b:body>
//		</event-trigger>
//
//	  - mode: "level" (default) rings whenever the condition holds, "edge" when it
//	    becomes true.
//	  - hold, cool-down, digest: times, "90s", "5m", "1h30m", or a bare number of
//	    milliseconds; above zero and up to 31 days.
//	  - language: of the expression and of re-arm; "XPath" (default) or "CEL".
//	  - re-arm: with mode "edge", the condition that arms the trigger again; by
//	    default its negation.
//	  - subject, body: templates (text/template) of the message. A subject is one
//	    line.
//
// A data source may say url without driverClassName.
//
// JSON templates are read as the original's reader does, also with names in
// single quotes or none. Either side of "$column->parameter" may name the
// parameter, as long as only one can.
//
// Source: WSO2 data services, DataServiceFactory, ConfigFactory, QueryFactory,
// OperationFactory, ResourceFactory, EventTriggerFactory, DBConstants.
package descriptor

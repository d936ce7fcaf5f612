// Package contracts holds the five contracts of Axiom25 (TaskSpec, Budget, VerifyContract, ToolSpec and
// RunEvent), the receipts, requests and responses around them, and every rule that a document must obey.
//
// The same code is compiled into the server and, as WebAssembly, into the browser console, so that both
// accept and refuse the same bytes for the same reasons. The package is pure: values in, values out, no
// I/O, no clock, no randomness.
//
// How a struct states its contract:
//
//   - the `json` tag names the field. A field without omitempty or omitzero and without a `default` tag must
//     be present in every document;
//   - the `default` tag is the value that Decode fills in where the field is absent. Absent never means
//     "unlimited";
//   - the `validate` tag holds the rules, each of which stands in the rules table (see rules.go).
//
// Names are snake_case, durations end in _ms (milliseconds), money in _microusd (millionths of a US
// dollar), integers lie within ±(2^53−1) so that a browser can hold them, scores lie within 0..1.
package contracts

// Package desk is the inspectorate's side: another party with its own listener
// and its own database, which takes signals and notices from the factories'
// servers over HTTP and answers each with a receipt.
//
// A receipt means one thing: the filing is on this side's disk. The same
// filing sent again gets the same receipt; another content under the same id
// and version is refused.
package desk

package safety

import "time"

// HeldHead is the head of a factory's ledger that DIFE's desk holds.
type HeldHead struct {
	FactoryID string      `json:"factory_id"`
	Office    string      `json:"dife_office"`
	Size      int64       `json:"size"`     // leaves
	Head      string      `json:"head"`     // signed note
	Key       string      `json:"key"`      // verifier key
	HeardAt   time.Time   `json:"heard_at"` // a server that says nothing shows here
	Faults    []HeadFault `json:"faults"`   // never removed
}

// HeadFault is a head that the desk did not take, because it tells another
// history than the one held.
type HeadFault struct {
	Reason  string    `json:"reason"`
	Held    string    `json:"held"`
	Offered string    `json:"offered"`
	At      time.Time `json:"at"`
}

package safety

import "time"

// Urgency is why the desk should look at a case, the most urgent first.
type Urgency string

// The urgencies.
const (
	UrgencyConfirmed  Urgency = "confirmed"
	UrgencyCallPoint  Urgency = "call_point"
	UrgencyUnresolved Urgency = "unresolved"
)

// Case is what the desk has about one incident; exercise and real ones are
// cases of their own.
type Case struct {
	IncidentID   string       `json:"incident_id"`
	FactoryID    string       `json:"factory_id"`
	Factory      Name         `json:"factory"`
	Office       string       `json:"dife_office"`
	IncidentKind string       `json:"incident_kind"`
	Exercise     bool         `json:"exercise"`
	Demo         bool         `json:"demo"`
	Urgency      Urgency      `json:"urgency"`
	Place        []Name       `json:"place"`
	OccurredAt   time.Time    `json:"occurred_at"`
	ReceivedAt   time.Time    `json:"received_at"` // of its first filing
	DueAt        *time.Time   `json:"due_at"`      // earliest clock that this desk's receipts did not end
	Filings      []CaseFiling `json:"filings"`     // in order of arrival
	// Who looked first since the newest filing arrived; "" and nil while nobody has.
	SeenBy string     `json:"seen_by"`
	SeenAt *time.Time `json:"seen_at"`
}

// CaseFiling is the newest version of one signal or notice of a case.
type CaseFiling struct {
	ID            string    `json:"id"`
	Kind          string    `json:"kind"`        // signal | notice
	NoticeKind    string    `json:"notice_kind"` // "" of a signal
	Version       int       `json:"version"`
	ReceiptNumber string    `json:"receipt_number"`
	ReceivedAt    time.Time `json:"received_at"` // of this version
}

// Seen is that an officer looked at a filing: the first one who did.
type Seen struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"` // signal | notice
	By   string    `json:"seen_by"`
	At   time.Time `json:"seen_at"`
}

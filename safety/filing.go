package safety

import "time"

// Signal is the unverified word about a fire or gas alarm that the desk gets
// at once. It is no notice and is never recalled; what people find out later
// is added to it.
type Signal struct {
	ID            string       `json:"id"` // ULID
	IncidentID    string       `json:"incident_id"`
	IncidentKind  string       `json:"incident_kind"`
	FactoryID     string       `json:"factory_id"`
	Factory       Name         `json:"factory"`
	Office        string       `json:"dife_office"`
	Demo          bool         `json:"demo"`
	Exercise      bool         `json:"exercise"` // every piece of its evidence is simulated or drill
	Heading       Name         `json:"heading"`  // says that nobody has verified it
	Confirmed     bool         `json:"confirmed"`
	Grade         Grade        `json:"grade"`      // best grade among its sensors
	Confidence    string       `json:"confidence"` // confirmed | call_point | unresolved: why it was sent
	Place         []Name       `json:"place"`
	Evidence      []string     `json:"evidence"`
	OccurredAt    time.Time    `json:"occurred_at"`
	RaisedAt      time.Time    `json:"raised_at"`
	CreatedAt     time.Time    `json:"created_at"`
	Status        NoticeStatus `json:"status"`
	SentAt        *time.Time   `json:"sent_at"`
	ReceivedAt    *time.Time   `json:"received_at"`
	ReceiptNumber string       `json:"receipt_number"`
	// An officer has read it. Left out until then: what was filed before these
	// members were known must read the same when it is filed again.
	SeenAt *time.Time `json:"seen_at,omitempty"`
	SeenBy string     `json:"seen_by,omitempty"`
}

// Filing is what travels to the desk: one version of one signal or notice. The
// same ID and Version always carry the same content.
type Filing struct {
	ID      string  `json:"id"`
	Version int     `json:"version"` // from 1
	Signal  *Signal `json:"signal,omitempty"`
	Notice  *Notice `json:"notice,omitempty"`
}

// Receipt is the desk's answer: the filing is durably stored there.
type Receipt struct {
	ID         string    `json:"id"`
	Version    int       `json:"version"`
	Number     string    `json:"receipt_number"`
	ReceivedAt time.Time `json:"received_at"`
}

// Informed is one act of immediate information: who told whom, when, by what.
type Informed struct {
	Recipient string    `json:"recipient"`
	Channel   string    `json:"channel"` // desk, phone, ...
	At        time.Time `json:"at"`
	By        string    `json:"by"` // "machine" or a person's name
	Reference string    `json:"reference"`
}

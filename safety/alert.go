package safety

import "time"

// AlertState is the operator's view of an alert (ISA-18.2).
type AlertState string

// The alert states. Returned means that the condition is gone and nobody has
// acknowledged; Cleared ends the alert.
const (
	Unacknowledged AlertState = "unacknowledged"
	Acknowledged   AlertState = "acknowledged"
	Returned       AlertState = "returned"
	Cleared        AlertState = "cleared"
)

// Alert is the record that people act on: at most one open alert per point.
type Alert struct {
	ID             string     `json:"id"` // ULID
	Point          string     `json:"point"`
	FactoryID      string     `json:"factory_id"`
	ZoneID         string     `json:"zone_id"`
	SensorID       string     `json:"sensor_id"`
	GatewayID      string     `json:"gateway_id"` // what it is about if that is neither zone nor sensor, else ""
	Rule           string     `json:"rule"`
	RuleVersion    string     `json:"rule_version"`
	Clause         string     `json:"clause"`
	Hazard         Hazard     `json:"hazard"`
	Class          Class      `json:"class"`
	Severity       Severity   `json:"severity"`
	Grade          Grade      `json:"grade"`
	State          AlertState `json:"state"`
	Condition      string     `json:"condition"` // firing | unknown | inactive: what the sources say now
	Latched        bool       `json:"latched"`
	Late           bool       `json:"late"`     // raised long after it occurred: told, but no siren
	Exercise       bool       `json:"exercise"` // every piece of its evidence is simulated or drill
	OccurredAt     time.Time  `json:"occurred_at"`
	RaisedAt       time.Time  `json:"raised_at"`
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
	AcknowledgedBy string     `json:"acknowledged_by"`
	ClearedAt      *time.Time `json:"cleared_at"`
	IncidentID     string     `json:"incident_id"`
}

// Incident is what alerts that belong together become.
type Incident struct {
	ID          string     `json:"id"` // ULID
	FactoryID   string     `json:"factory_id"`
	Kind        string     `json:"kind"`  // fire, fumes, ...: law data where notifiable
	State       string     `json:"state"` // open | resolved
	Confirmed   bool       `json:"confirmed"`
	Exercise    bool       `json:"exercise"`
	Zones       []string   `json:"zones"`
	OccurredAt  time.Time  `json:"occurred_at"`
	OpenedAt    time.Time  `json:"opened_at"`
	ConfirmedAt *time.Time `json:"confirmed_at"`
	Alerts      []string   `json:"alert_ids"`
}

// Clock is one legal deadline on a notice.
type Clock struct {
	Law       string     `json:"law"`
	Clause    string     `json:"clause"`
	Recipient string     `json:"recipient"`
	StartsAt  time.Time  `json:"starts_at"`
	DueAt     time.Time  `json:"due_at"`
	MetAt     *time.Time `json:"met_at"`
	Verified  bool       `json:"verified"`
}

// NoticeStatus is where a notice stands. Sent is not received.
type NoticeStatus string

// The statuses.
const (
	NoticeDraft     NoticeStatus = "draft"
	NoticePrepared  NoticeStatus = "prepared"
	NoticeSent      NoticeStatus = "sent"
	NoticeReceived  NoticeStatus = "received"
	NoticeSettled   NoticeStatus = "settled"
	NoticeWithdrawn NoticeStatus = "withdrawn"
)

// Notice is one statutory paper about one incident.
type Notice struct {
	ID            string       `json:"id"` // ULID
	IncidentID    string       `json:"incident_id"`
	IncidentKind  string       `json:"incident_kind"`
	Kind          string       `json:"kind"` // immediate, s80, s81, ...
	Status        NoticeStatus `json:"status"`
	FactoryID     string       `json:"factory_id"`
	Exercise      bool         `json:"exercise"`
	ReceiptNumber string       `json:"receipt_number"`
	OccurredAt    time.Time    `json:"occurred_at"`
	AwareAt       time.Time    `json:"aware_at"`
	CreatedAt     time.Time    `json:"created_at"`
	SentAt        *time.Time   `json:"sent_at"`
	ReceivedAt    *time.Time   `json:"received_at"`
	SeenAt        *time.Time   `json:"seen_at"`
	SeenBy        string       `json:"seen_by"`
	DueAt         *time.Time   `json:"due_at"` // earliest open clock
	Clocks        []Clock      `json:"clocks"`
	Blank         []string     `json:"blank"` // fields that only a human can fill
	Body          NoticeBody   `json:"body"`
	// Short head of the ledger when this was read; never stored with the notice.
	LedgerHead string `json:"ledger_head,omitempty"`
}

// NoticeBody is what a machine can know when it writes a notice. Everything
// else stays blank until a human writes it.
type NoticeBody struct {
	Demo         bool       `json:"demo"` // the factory is a demonstration
	Factory      Name       `json:"factory"`
	Address      Name       `json:"address"`
	Upazila      string     `json:"upazila"`
	District     string     `json:"district"`
	Office       string     `json:"dife_office"`
	Registration Fact       `json:"registration"`
	Licence      Fact       `json:"licence"`
	LIMA         string     `json:"lima_id"`
	Contacts     []Contact  `json:"contacts"` // owner, occupier, manager
	ISIC         string     `json:"isic"`
	Women        int        `json:"employed_women"`
	Men          int        `json:"employed_men"`
	Place        []Name     `json:"place"` // zones, with floor
	Shift        string     `json:"shift"`
	Informed     []Informed `json:"informed"`
	Evidence     []string   `json:"evidence"`
}

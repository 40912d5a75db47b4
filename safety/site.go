package safety

import "time"

// Grade says what a sensor's word is worth. Indicative sensors alone never
// evacuate anyone.
type Grade string

// The grades.
const (
	Indicative Grade = "indicative"
	Industrial Grade = "industrial"
	Certified  Grade = "certified"
)

// Rank orders grades from 1 (indicative) to 3 (certified); 0 is not a grade.
func (g Grade) Rank() int {
	switch g {
	case Indicative:
		return 1
	case Industrial:
		return 2
	case Certified:
		return 3
	}
	return 0
}

// Name is a text in the two languages of every screen and paper.
type Name struct {
	BN string `yaml:"bn" json:"bn"`
	EN string `yaml:"en" json:"en"`
}

// Fact is a dated, sourced datum: law, licence, measurement on site. What is
// not verified is shown as not verified.
type Fact struct {
	Value    string `yaml:"value" json:"value"`
	Source   string `yaml:"source" json:"source"`
	Date     string `yaml:"date" json:"date"` // YYYY-MM-DD
	Verified bool   `yaml:"verified" json:"verified"`
}

// Site is one factory in its building: what the site file holds and what the
// registry in the state is made of. Everything that asks about places reads
// the registry.
type Site struct {
	Version  int       `yaml:"version" json:"version"` // of the schema: 1
	Building Building  `yaml:"building" json:"building"`
	Factory  Factory   `yaml:"factory" json:"factory"`
	People   Staff     `yaml:"people" json:"people"`
	Floors   []Floor   `yaml:"floors" json:"floors"`
	Zones    []Zone    `yaml:"zones" json:"zones"`
	Exits    []Exit    `yaml:"exits" json:"exits"`
	Hazards  []Hazmat  `yaml:"hazards" json:"hazards"`
	Gateways []Gateway `yaml:"gateways" json:"gateways"`
	Sensors  []Sensor  `yaml:"sensors" json:"sensors"`
	Outputs  []Output  `yaml:"outputs" json:"outputs"`
	Panel    Panel     `yaml:"panel" json:"panel"`
}

// Building stands above the factories in it.
type Building struct {
	ID              string   `yaml:"id" json:"id"`
	Address         Name     `yaml:"address" json:"address"`
	Upazila         string   `yaml:"upazila" json:"upazila"`
	District        string   `yaml:"district" json:"district"`
	Lat             float64  `yaml:"lat" json:"lat"`
	Lon             float64  `yaml:"lon" json:"lon"`
	Storeys         int      `yaml:"storeys" json:"storeys"`
	Structure       string   `yaml:"structure" json:"structure"`
	Tenants         []string `yaml:"tenants" json:"tenants"`
	CommonStairs    []string `yaml:"common_stairs" json:"common_stairs"`
	NeighbourHazard []string `yaml:"neighbour_hazards" json:"neighbour_hazards"`
	ResponderAccess string   `yaml:"responder_access" json:"responder_access"`
	WaterSource     string   `yaml:"water_source" json:"water_source"`
	StayOut         bool     `yaml:"stay_out" json:"stay_out"`
}

// Factory is the tenant: the unit of access, alarms and notices.
type Factory struct {
	ID            string        `yaml:"id" json:"id"`
	Name          Name          `yaml:"name" json:"name"`
	Demo          bool          `yaml:"demo" json:"demo"` // receipts begin with DEMO-
	Registration  Fact          `yaml:"registration" json:"registration"`
	Licence       Fact          `yaml:"licence" json:"licence"`
	LIMA          string        `yaml:"lima_id" json:"lima_id"`
	Regime        string        `yaml:"legal_regime" json:"legal_regime"` // labour_act | epz
	ISIC          string        `yaml:"isic" json:"isic"`
	Office        Fact          `yaml:"dife_office" json:"dife_office"` // office id, e.g. gazipur
	Women         int           `yaml:"employed_women" json:"employed_women"`
	Men           int           `yaml:"employed_men" json:"employed_men"`
	Contacts      []Contact     `yaml:"contacts" json:"contacts"`
	Hours         []Hours       `yaml:"approved_hours" json:"approved_hours"`
	Shifts        []Shift       `yaml:"shifts" json:"shifts"`
	WeeklyHoliday string        `yaml:"weekly_holiday" json:"weekly_holiday"`
	Calendar      []Holiday     `yaml:"calendar" json:"calendar"`
	Certificates  []Certificate `yaml:"certificates" json:"certificates"`
	Power         Power         `yaml:"power" json:"power"`
	SIMs          []string      `yaml:"sims" json:"sims"`
	DataOwner     string        `yaml:"data_owner" json:"data_owner"`
	Delays        Delays        `yaml:"delays" json:"delays"`
	Language      string        `yaml:"language" json:"language"` // bn | en
	Limits        []SiteLimit   `yaml:"limits" json:"limits"`
}

// SiteLimit is a factory's own value for a limit that a rule of a pack names. It
// owes what the pack's value owes: unit, source, clause and confidence.
type SiteLimit struct {
	Rule       string  `yaml:"rule" json:"rule"`
	Limit      string  `yaml:"limit" json:"limit"`
	Class      string  `yaml:"class" json:"class"`                     // EN 54-5, of a limit tabled by class; else ""
	Work       string  `yaml:"metabolic_class" json:"metabolic_class"` // of one tabled by metabolic class; else ""
	Value      float64 `yaml:"value" json:"value"`
	Unit       string  `yaml:"unit" json:"unit"` // the pack's
	Source     string  `yaml:"source" json:"source"`
	Clause     string  `yaml:"clause" json:"clause"`
	Confidence string  `yaml:"confidence" json:"confidence"` // verified | secondary | recalled | inferred | chosen
}

// Contact is a person with a phone. Consent is a recorded, written yes to
// automatic messages; without it a person calls.
type Contact struct {
	Role    string `yaml:"role" json:"role"` // owner, occupier, manager, fire_service, police, hospital, ...
	Name    string `yaml:"name" json:"name"`
	Phone   string `yaml:"phone" json:"phone"`
	Email   string `yaml:"email" json:"email"`
	Consent bool   `yaml:"consent" json:"consent"`
	Source  string `yaml:"source" json:"source"`
	Checked bool   `yaml:"verified" json:"verified"`
}

// Hours is an approved span of work on given days, local time of Asia/Dhaka.
type Hours struct {
	Days string `yaml:"days" json:"days"` // e.g. sat-thu
	From string `yaml:"from" json:"from"` // HH:MM
	To   string `yaml:"to" json:"to"`     // HH:MM; not later than From: on the next day
	// The days on which it is in force, both included, YYYY-MM-DD; "" = no bound.
	Since string `yaml:"since" json:"since"`
	Until string `yaml:"until" json:"until"`
}

// Shift is a named span of work. A shift that passes midnight belongs to the
// day on which it begins.
type Shift struct {
	ID    string `yaml:"id" json:"id"`
	From  string `yaml:"from" json:"from"`
	To    string `yaml:"to" json:"to"`
	Since string `yaml:"since" json:"since"` // as of Hours
	Until string `yaml:"until" json:"until"`
}

// Holiday is one day off. An ungazetted one counts as a working day.
type Holiday struct {
	Date     string `yaml:"date" json:"date"` // YYYY-MM-DD
	Name     Name   `yaml:"name" json:"name"`
	Gazetted bool   `yaml:"gazetted" json:"gazetted"`
}

// Certificate is a licence that expires.
type Certificate struct {
	Kind    string `yaml:"kind" json:"kind"`
	Number  string `yaml:"number" json:"number"`
	Expires string `yaml:"expires" json:"expires"` // YYYY-MM-DD
}

// Power says what keeps the box alive.
type Power struct {
	Mains     bool `yaml:"mains" json:"mains"`
	Generator bool `yaml:"generator" json:"generator"`
	UPS       bool `yaml:"ups" json:"ups"`
}

// Delays are the acknowledge (V1) and investigate (V2) times by day and
// night. Together they are at most 10 min (EN 54-2, recalled, to be verified).
type Delays struct {
	DayV1   time.Duration `yaml:"day_v1" json:"day_v1"`
	DayV2   time.Duration `yaml:"day_v2" json:"day_v2"`
	NightV1 time.Duration `yaml:"night_v1" json:"night_v1"`
	NightV2 time.Duration `yaml:"night_v2" json:"night_v2"`
}

// Staff are those who act: the safety committee, wardens, first-aiders.
type Staff struct {
	Committee   []Member `yaml:"committee" json:"committee"`
	Wardens     []Member `yaml:"wardens" json:"wardens"`
	FirstAiders []Member `yaml:"first_aiders" json:"first_aiders"`
}

// Member is one named person with a side (workers or management) and a place.
type Member struct {
	Name  string `yaml:"name" json:"name"`
	Side  string `yaml:"side" json:"side"` // workers | management
	Role  string `yaml:"role" json:"role"`
	Phone string `yaml:"phone" json:"phone"`
	Email string `yaml:"email" json:"email"`
	Floor string `yaml:"floor" json:"floor"`
	Line  string `yaml:"line" json:"line"`
}

// Floor is one level of the building. Level 0 is the ground.
type Floor struct {
	ID      string  `yaml:"id" json:"id"`
	Name    Name    `yaml:"name" json:"name"`
	Level   int     `yaml:"level" json:"level"`
	Outline []Point `yaml:"outline" json:"outline"`
}

// Point is a place on a floor plan, metres, x to the right, y down.
type Point [2]float64

// Zone is a room or part of one: the unit in which people are told where.
type Zone struct {
	ID            string   `yaml:"id" json:"id"`
	Name          Name     `yaml:"name" json:"name"`
	Floor         string   `yaml:"floor" json:"floor"`
	Use           string   `yaml:"use" json:"use"` // sewing, ironing, dyeing, boiler, chemical, generator, store, sleeping, stair, ...
	Polygon       []Point  `yaml:"polygon" json:"polygon"`
	Area          float64  `yaml:"area_m2" json:"area_m2"`
	Height        float64  `yaml:"height_m" json:"height_m"`
	PostedMaximum int      `yaml:"posted_maximum" json:"posted_maximum"` // s.56(3) notice; 0 = none
	Exempt        bool     `yaml:"s56_exempt" json:"s56_exempt"`
	Employed      int      `yaml:"employed_per_shift" json:"employed_per_shift"`
	Adjacent      []string `yaml:"adjacent" json:"adjacent"`
	Ventilation   string   `yaml:"ventilation" json:"ventilation"`
	Nuisances     []string `yaml:"nuisances" json:"nuisances"`
	HighBay       bool     `yaml:"high_bay" json:"high_bay"`
	SteamProne    bool     `yaml:"steam_prone" json:"steam_prone"`
	Metabolic     string   `yaml:"metabolic_class" json:"metabolic_class"` // ISO 7243: resting, low, moderate, high, very_high; "" = not stated
	Acclimatised  bool     `yaml:"acclimatised" json:"acclimatised"`       // those who work here are used to its heat
	Shift         float64  `yaml:"shift_h" json:"shift_h"`                 // hours that one person works here in a day; 0 = not stated, 8 is taken
	WorkJudged    string   `yaml:"work_judged" json:"work_judged"`         // when metabolic class, acclimatisation and shift were judged, YYYY-MM-DD
	NormalMax     float64  `yaml:"normal_max_c" json:"normal_max_c"`       // °C; 0 = not stated
	Required      []string `yaml:"required_detection" json:"required_detection"`
	NeedHelp      int      `yaml:"people_needing_help" json:"people_needing_help"`
	ChildCare     bool     `yaml:"child_care" json:"child_care"`
}

// Exit is a way out: proved open, or not proved.
type Exit struct {
	ID            string  `yaml:"id" json:"id"`
	Name          Name    `yaml:"name" json:"name"`
	From          string  `yaml:"from" json:"from"` // zone id
	To            string  `yaml:"to" json:"to"`     // zone id or "outside"
	Kind          string  `yaml:"kind" json:"kind"` // door, stair, gate, roof, window
	Width         int     `yaml:"clear_width_mm" json:"clear_width_mm"`
	Swing         string  `yaml:"swing" json:"swing"`
	Lock          string  `yaml:"lock" json:"lock"`
	LeadsTo       string  `yaml:"leads_to" json:"leads_to"`
	CommonStair   bool    `yaml:"common_stair" json:"common_stair"`
	Travel        float64 `yaml:"travel_m" json:"travel_m"`
	Sensor        string  `yaml:"sensor" json:"sensor"`                 // door contact, "" = none
	LockSensor    string  `yaml:"lock_sensor" json:"lock_sensor"`       // in zone From, "" = none
	ConfirmSensor string  `yaml:"confirm_sensor" json:"confirm_sensor"` // a warden's tap at the door, "" = none
	RequiredWhile string  `yaml:"required_while" json:"required_while"`
	At            Point   `yaml:"at" json:"at"`
}

// KindBoiler is the kind of a hazard that is a boiler; its RatedBar counts.
const KindBoiler = "boiler"

// Hazmat is a substance, boiler or gas supply with what responders must know.
type Hazmat struct {
	Zone      string  `yaml:"zone" json:"zone"`
	Kind      string  `yaml:"kind" json:"kind"`
	Substance string  `yaml:"substance" json:"substance"`
	CAS       string  `yaml:"cas" json:"cas"`
	UN        string  `yaml:"un" json:"un"`
	MaxKG     float64 `yaml:"max_kg" json:"max_kg"`
	Valve     string  `yaml:"isolation_valve" json:"isolation_valve"`
	BoilerNo  string  `yaml:"boiler_number" json:"boiler_number"`
	RatedBar  float64 `yaml:"rated_bar" json:"rated_bar"`
	Expires   string  `yaml:"licence_expires" json:"licence_expires"`
}

// Gateway is one box on a wall.
type Gateway struct {
	ID    string `yaml:"id" json:"id"`
	Floor string `yaml:"floor" json:"floor"`
	Place Name   `yaml:"place" json:"place"`
}

// Sensor is one measured quantity at one place.
type Sensor struct {
	ID           string        `yaml:"id" json:"id"`
	Name         Name          `yaml:"name" json:"name"`
	Gateway      string        `yaml:"gateway" json:"gateway"`
	Zone         string        `yaml:"zone" json:"zone"`
	Quantity     Quantity      `yaml:"quantity" json:"quantity"`
	Grade        Grade         `yaml:"grade" json:"grade"`
	Class        string        `yaml:"class" json:"class"` // EN 54-5 class and suffix for heat, e.g. A1R
	Period       time.Duration `yaml:"period" json:"period"`
	Range        [2]float64    `yaml:"range" json:"range"` // instrument range in the quantity's unit; equal = not stated
	LifeSafety   bool          `yaml:"life_safety" json:"life_safety"`
	Group        string        `yaml:"voting_group" json:"voting_group"`
	At           Point         `yaml:"at" json:"at"`
	MountHeight  float64       `yaml:"mount_height_m" json:"mount_height_m"`
	Maker        string        `yaml:"maker" json:"maker"`
	Model        string        `yaml:"model" json:"model"`
	Serial       string        `yaml:"serial" json:"serial"`
	Standard     string        `yaml:"standard" json:"standard"`
	Certificate  string        `yaml:"certificate" json:"certificate"`
	Gas          string        `yaml:"gas" json:"gas"`
	GasDensity   float64       `yaml:"gas_relative_density" json:"gas_relative_density"`
	EOL          string        `yaml:"eol_profile" json:"eol_profile"`
	Calibrated   string        `yaml:"calibrated" json:"calibrated"` // YYYY-MM-DD
	Bumped       string        `yaml:"bump_tested" json:"bump_tested"`
	Walked       string        `yaml:"walk_tested" json:"walk_tested"`
	EndOfLife    string        `yaml:"end_of_life" json:"end_of_life"`
	Photo        string        `yaml:"photo" json:"photo"`
	Spare        string        `yaml:"spare" json:"spare"`
	SupplyAirGap float64       `yaml:"supply_air_m" json:"supply_air_m"` // distance to supply air, m; 0 = not stated
}

// Output is an annunciator.
type Output struct {
	ID      string `yaml:"id" json:"id"`
	Gateway string `yaml:"gateway" json:"gateway"`
	Zone    string `yaml:"zone" json:"zone"`
	Kind    string `yaml:"kind" json:"kind"` // staff_alert | evacuate | beacon
	Voice   bool   `yaml:"voice" json:"voice"`
	Battery bool   `yaml:"battery" json:"battery"`
	At      Point  `yaml:"at" json:"at"`
}

// Panel is the listed fire panel that Nirapod supplements.
type Panel struct {
	Make       string `yaml:"make" json:"make"`
	Listed     bool   `yaml:"listed" json:"listed"`
	FireRelay  bool   `yaml:"fire_relay_wired" json:"fire_relay_wired"`
	FaultRelay bool   `yaml:"fault_relay_wired" json:"fault_relay_wired"`
	Maintainer string `yaml:"maintainer" json:"maintainer"`
	Serviced   string `yaml:"last_service" json:"last_service"`
}

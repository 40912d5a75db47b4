package dashboard

import (
	"time"

	"nirapod/safety"
)

// What the page sees. Ages are the server's: a browser's clock is not asked.
type (
	factoryView struct {
		ID   string      `json:"id"`
		Name safety.Name `json:"name"`
		Demo bool        `json:"demo"`
		V1   int64       `json:"v1_ms"` // time to acknowledge, as of now
		V2   int64       `json:"v2_ms"` // time to investigate, as of now
	}
	floorView struct {
		ID      string         `json:"id"`
		Factory string         `json:"factory_id"`
		Name    safety.Name    `json:"name"`
		Level   int            `json:"level"`
		Outline []safety.Point `json:"outline"`
	}
	coverage struct {
		Live  int `json:"live"`
		Total int `json:"total"`
	}
	zoneView struct {
		ID       string         `json:"id"`
		Factory  string         `json:"factory_id"`
		Floor    string         `json:"floor"`
		Name     safety.Name    `json:"name"`
		Use      string         `json:"use"`
		Polygon  []safety.Point `json:"polygon"`
		Level    string         `json:"level"`
		Reason   string         `json:"reason"`
		Watched  bool           `json:"watched"` // something here detects fire or gas
		Sensors  []sensorView   `json:"sensors"`
		Coverage coverage       `json:"coverage"`
		At       *time.Time     `json:"at"`
		Age      *int64         `json:"age_ms"`
		Capacity int            `json:"capacity"` // people; 0 = not known
		Posted   bool           `json:"posted"`   // the capacity is the posted maximum, not what the space is for
	}
	sensorView struct {
		ID         string          `json:"id"`
		Factory    string          `json:"factory_id"`
		Gateway    string          `json:"gateway_id"`
		Zone       string          `json:"zone_id"`
		Name       safety.Name     `json:"name"`
		Quantity   safety.Quantity `json:"quantity"`
		Unit       safety.Unit     `json:"unit"`
		Grade      safety.Grade    `json:"grade"`
		Value      *float64        `json:"value"`
		Quality    string          `json:"quality"`
		Reason     safety.Reason   `json:"reason"`
		At         *time.Time      `json:"at"`
		Age        *int64          `json:"age_ms"`
		Period     int64           `json:"period_ms"`
		Simulated  bool            `json:"simulated"`
		LifeSafety bool            `json:"life_safety"`
		X          float64         `json:"x"`
		Y          float64         `json:"y"`
	}
	exitView struct {
		ID      string       `json:"id"`
		Factory string       `json:"factory_id"`
		Name    safety.Name  `json:"name"`
		Kind    string       `json:"kind"`
		Floor   string       `json:"floor"`
		At      safety.Point `json:"at"`
		State   string       `json:"state"` // open | closed | locked | unknown
		Proved  bool         `json:"proved"`
		Leaf    string       `json:"sensor_id"`      // "" = none
		Lock    string       `json:"lock_sensor_id"` // "" = none
	}
	gatewayView struct {
		ID        string           `json:"id"`
		Factory   string           `json:"factory_id"`
		Place     safety.Name      `json:"place"`
		Floor     string           `json:"floor"`
		Online    bool             `json:"online"`
		At        *time.Time       `json:"at"` // last word about its presence; null = never heard
		Simulated bool             `json:"simulated"`
		Clock     string           `json:"clock"`
		Version   string           `json:"version"`
		Unknown   []string         `json:"unknown_sensors"` // sent, but not in the site
		Refused   map[string]int64 `json:"refused"`         // records by reason
	}
)

// readingView is one reading: in the live stream with its sensor, in a history
// without.
type readingView struct {
	Sensor    string        `json:"sensor"`
	Value     *float64      `json:"value"` // null when bad
	Quality   string        `json:"quality"`
	Reason    safety.Reason `json:"reason"`
	At        time.Time     `json:"at"`
	Simulated bool          `json:"simulated"`
}

func viewReading(r safety.Reading) readingView {
	return readingView{
		Sensor: r.Sensor, Value: valueOf(r), Quality: qualityWord(r.Quality), Reason: r.Reason,
		At: r.At, Simulated: r.Flags&safety.Simulated != 0,
	}
}

// valueOf is nil when the reading is bad: there is no number to show.
func valueOf(r safety.Reading) *float64 {
	if r.Quality == safety.Bad {
		return nil
	}
	return &r.Value
}

const badWord = "bad"

func qualityWord(q safety.Quality) string {
	switch q {
	case safety.Good:
		return "good"
	case safety.Uncertain:
		return "uncertain"
	}
	return badWord
}

// staleAfter is when a value stops being news: three periods, at least 15 s.
func staleAfter(period time.Duration) time.Duration { return max(15*time.Second, 3*period) }

// look is a sensor with its newest reading at now. Without one it is bad.
func look(factory string, s safety.Sensor, newest map[string]safety.Reading, now time.Time) sensorView {
	v := sensorView{
		ID: s.ID, Factory: factory, Gateway: s.Gateway, Zone: s.Zone, Name: s.Name, Quantity: s.Quantity, Unit: s.Quantity.Unit(), Grade: s.Grade,
		Quality: badWord, Period: s.Period.Milliseconds(), LifeSafety: s.LifeSafety, X: s.At[0], Y: s.At[1],
	}
	r, known := newest[s.ID]
	if !known {
		return v
	}
	at, age := r.At, max(0, now.Sub(r.At).Milliseconds())
	v.At, v.Age, v.Value = &at, &age, valueOf(r)
	v.Quality, v.Reason, v.Simulated = qualityWord(r.Quality), r.Reason, r.Flags&safety.Simulated != 0
	return v
}

// seen reports whether the sensor has a good value that is not old.
func (v sensorView) seen() bool {
	return v.Age != nil && time.Duration(*v.Age)*time.Millisecond <= staleAfter(time.Duration(v.Period)*time.Millisecond) &&
		v.Quality == qualityWord(safety.Good)
}

// detects reports whether q can tell of a fire or a dangerous gas.
func detects(q safety.Quantity) bool {
	switch q {
	case safety.Temperature, safety.Smoke, safety.SmokeOD, safety.Flame, safety.CO, safety.H2S, safety.NH3, safety.CL2, safety.LEL:
		return true
	}
	return false
}

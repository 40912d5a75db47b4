package influxstore

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nirapod/safety"
	"nirapod/store"
)

// Names in the database. A sample is one field of one point, so that no reader
// ever sees half of it: value when it is good, bad with the reason as a string,
// or uncertain_<reason> with the value. Never change them.
const (
	measurement    = "reading"
	tagFactory     = "factory"
	tagGateway     = "gateway"
	tagQuantity    = "quantity"
	tagSensor      = "sensor"
	tagTaint       = "taint" // absent on real readings
	fieldValue     = "value"
	fieldBad       = "bad"
	fieldUncertain = "uncertain_"
)

// taints are the values of the tag by safety.Flags.
var taints = [...]string{
	0:                               "",
	safety.Simulated:                "simulated",
	safety.Drill:                    "drill",
	safety.Simulated | safety.Drill: "simulated+drill",
}

func flagsOf(taint string) safety.Flags {
	for flags, name := range taints {
		if name == taint {
			return safety.Flags(flags)
		}
	}
	return safety.Simulated | safety.Drill
}

// InfluxDB counts nanoseconds from 1970 in 64 bits and keeps some for itself.
var (
	earliest = time.Unix(0, math.MinInt64).UTC().Truncate(time.Hour).Add(time.Hour)
	latest   = time.Unix(0, math.MaxInt64).UTC().Truncate(time.Hour)
)

// storable reports whether s is valid and can be written as a line and asked
// for again. Ids are far from the limits; what could end a word or a string in
// one of the two languages is no part of a name.
func storable(s *store.Sample) bool {
	return s.Validate() == nil && !s.At.Before(earliest) && s.At.Before(latest) &&
		nameable(s.Factory) && nameable(s.Gateway) && nameable(s.Sensor)
}

func nameable(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsAny(name, `\"$`) &&
		!strings.ContainsFunc(name, unicode.IsControl)
}

var escape = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `)

// lines writes samples in line protocol.
type lines struct{ buf []byte }

// add appends one storable sample.
func (l *lines) add(s *store.Sample) {
	l.buf = append(l.buf, measurement...)
	l.tag(tagFactory, s.Factory)
	l.tag(tagGateway, s.Gateway)
	l.tag(tagQuantity, string(s.Quantity))
	l.tag(tagSensor, s.Sensor)
	l.tag(tagTaint, taints[s.Flags])
	l.buf = append(l.buf, ' ')
	switch s.Quality {
	case safety.Bad:
		l.buf = append(l.buf, fieldBad+`="`...)
		l.buf = append(l.buf, s.Reason...)
		l.buf = append(l.buf, '"')
	case safety.Uncertain:
		l.buf = append(l.buf, fieldUncertain...)
		l.buf = append(l.buf, s.Reason...)
		l.value(s.Value)
	default:
		l.buf = append(l.buf, fieldValue...)
		l.value(s.Value)
	}
	l.buf = append(l.buf, ' ')
	l.buf = strconv.AppendInt(l.buf, s.At.UnixMilli(), 10)
	l.buf = append(l.buf, '\n')
}

func (l *lines) tag(key, value string) {
	if value == "" {
		return
	}
	l.buf = append(l.buf, ',')
	l.buf = append(l.buf, key...)
	l.buf = append(l.buf, '=')
	if strings.ContainsAny(value, ",= ") {
		value = escape.Replace(value)
	}
	l.buf = append(l.buf, value...)
}

// value writes the shortest text that is this float64 and no other.
func (l *lines) value(v float64) {
	l.buf = append(l.buf, '=')
	l.buf = strconv.AppendFloat(l.buf, v, 'g', -1, 64)
}

// decode fills quality, reason and value from a field, or reports that the
// field is not the store's. What nobody wrote is a bad reading, never a good
// one.
func decode(r *safety.Reading, field string, value any) bool {
	r.Quality, r.Reason, r.Value = safety.Bad, safety.Implausible, 0
	number, isNumber := value.(float64)
	doubt, isUncertain := strings.CutPrefix(field, fieldUncertain)
	switch {
	case field == fieldValue:
		if isNumber {
			r.Quality, r.Reason, r.Value = safety.Good, "", number
		}
	case field == fieldBad:
		if word, _ := value.(string); safety.Reason(word).Known() {
			r.Reason = safety.Reason(word)
		}
	case isUncertain:
		if isNumber && safety.Reason(doubt).Known() {
			r.Quality, r.Reason, r.Value = safety.Uncertain, safety.Reason(doubt), number
		}
	default:
		return false
	}
	return true
}

package month

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nirapod/firmware-sim/factory"
	"nirapod/safety"
)

// Table writes the verdict for docs/evaluation.md.
func (v *Verdict) Table() string {
	var b strings.Builder
	found, sounded := 0, 0
	for _, f := range v.Fires {
		found, sounded = found+one(f.Alarm >= 0 && f.Alarm <= atLatest), sounded+one(f.Sounder >= 0 && f.Sounder <= atLatest)
	}
	confirmed := 0
	for _, s := range v.Signals {
		confirmed += one(s.Severity == safety.Evacuate)
	}
	_, most := worstDay(v.PreAlarms)
	fmt.Fprintf(&b, "%d days, %d.%d million readings.\n\n", v.Days, v.Readings/1e6, v.Readings/1e5%10)
	b.WriteString("| asked | bar | came out |\n|---|---|---|\n")
	fmt.Fprintf(&b, "| fires found within %.0f min | all %d | %d |\n", atLatest.Minutes(), len(v.Fires), found)
	fmt.Fprintf(&b, "| fires in which the sounder sounds within %.0f min | all %d | %d |\n", atLatest.Minutes(), len(v.Fires), sounded)
	fmt.Fprintf(&b, "| evacuations without a fire | 0 | %d |\n", len(v.Sounders))
	fmt.Fprintf(&b, "| notices and confirmed signals without a fire | 0 | %d |\n", len(v.Notices)+confirmed)
	fmt.Fprintf(&b, "| unconfirmed signals without a fire, in the month | %d | %d |\n", signalsAMonth, len(v.Signals)-confirmed)
	fmt.Fprintf(&b, "| staff pre-alarms without a fire, on the worst day | %d | %d |\n", preAlarmsADay, most)
	fmt.Fprintf(&b, "| staff called without a fire, pre-alarms and alarms, a day over the month | %d | %.2f (%d and %d) |\n",
		preAlarmsADay, float64(len(v.PreAlarms)+len(v.Alarms))/float64(v.Days), len(v.PreAlarms), len(v.Alarms))
	v.fireTable(&b)
	v.workTable(&b)
	v.peakTable(&b)
	b.WriteString("\n| told beside, times | by the gateways | by the server |\n|---|---|---|\n")
	rules := slices.Collect(maps.Keys(v.Others))
	for _, rule := range slices.Sorted(maps.Keys(v.OfServer)) {
		if v.Others[rule] == 0 {
			rules = append(rules, rule)
		}
	}
	slices.Sort(rules)
	for _, rule := range rules {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", rule, v.Others[rule], v.OfServer[rule])
	}
	return b.String()
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (v *Verdict) fireTable(b *strings.Builder) {
	b.WriteString("\n| fire | zone | lit | hidden in | alarm, s | by | sounder, s | signal, s | because |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, f := range v.Fires {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", f.Name, f.Zone,
			v.begin.Add(f.At).In(factory.Dhaka).Format("2 Jan 15:04"), f.Hidden, since(f.Alarm), dash(f.By), since(f.Sounder), since(f.Signal), dash(f.Because))
	}
}

func since(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", d.Seconds())
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (v *Verdict) workTable(b *strings.Builder) {
	b.WriteString("\n| ordinary work | times | pre-alarms | alarms | signals | evacuations |\n|---|---|---|---|---|---|\n")
	during := func(list []Raised, k factory.Kind) (n int) {
		for _, r := range list {
			n += one(strings.Contains(r.While, string(k)))
		}
		return n
	}
	for _, k := range factory.Kinds {
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d |\n", k, v.Happened[k],
			during(v.PreAlarms, k), during(v.Alarms, k), during(v.Signals, k), during(v.Sounders, k))
	}
}

// shown are the quantities of the table of highest values.
var shown = []safety.Quantity{
	safety.Temperature, safety.Humidity, safety.SmokeOD, safety.CO, safety.LEL, safety.VOC, safety.CO2, safety.People,
}

func (v *Verdict) peakTable(b *strings.Builder) {
	b.WriteString("\n| highest without a fire | value | sensor | when |\n|---|---|---|---|\n")
	for _, q := range shown {
		var top peak
		for _, id := range slices.Sorted(maps.Keys(v.peaks)) {
			if p := v.peaks[id]; p.quantity == q && p.Value > top.Value {
				top = *p
			}
		}
		fmt.Fprintf(b, "| %s | %.3g %s | %s | %s |\n", q, top.Value, q.Unit(), top.Sensor, top.At.In(factory.Dhaka).Format("2 Jan 15:04"))
	}
}

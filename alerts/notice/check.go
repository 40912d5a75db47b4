package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nirapod/internal/yamlfile"
	"nirapod/safety"
)

// check finds what is wrong with the meaning of the law data.
func (l *Law) check(files map[string]*yamlfile.File) []error {
	var errs []error
	add := func(file, path, format string, args ...any) {
		errs = append(errs, files[file].Errorf(path, format, args...))
	}
	l.checkKinds(func(path, format string, args ...any) { add("kinds.yaml", path, format, args...) })
	seen := map[string]bool{}
	for i, c := range l.Clauses {
		path := fmt.Sprintf("clauses[%d]", i)
		if seen[c.ID] || c.ID == "" {
			add("clocks.yaml", path+".id", "id %q is empty or used twice", c.ID)
		}
		seen[c.ID] = true
		l.checkClause(c, func(field, format string, args ...any) { add("clocks.yaml", path+field, format, args...) })
	}
	l.checkPapers(func(path, format string, args ...any) { add("notices.yaml", path, format, args...) })
	for i, h := range l.holidays {
		if _, err := time.Parse("2006-01-02", "2024-"+h.Date); err != nil {
			add("calendar.yaml", fmt.Sprintf("holidays[%d].date", i), "%q is no day of the form MM-DD", h.Date)
		}
	}
	for i, f := range l.Fields {
		if f.By != "machine" && f.By != "human" {
			add("fields.yaml", fmt.Sprintf("fields[%d].by", i), "%q is neither machine nor human", f.By)
		}
	}
	return errs
}

func (l *Law) checkKinds(add func(path, format string, args ...any)) {
	for i, k := range l.Kinds {
		if k.Name.BN == "" || k.Name.EN == "" {
			add(fmt.Sprintf("kinds[%d].name", i), "kind %s needs a name in both languages", k.ID)
		}
	}
	for i, h := range l.Hazards {
		if _, ok := l.Kind(h.Kind); !ok {
			add(fmt.Sprintf("hazards[%d].kind", i), "no kind %q", h.Kind)
		}
		for _, other := range h.With {
			if !l.Compatible(other, h.ID) {
				add(fmt.Sprintf("hazards[%d].with", i), "%s shares with %s but not the other way round", h.ID, other)
			}
		}
	}
}

func (l *Law) checkClause(c Clause, add func(field, format string, args ...any)) {
	for _, kind := range c.Kinds {
		if !l.Notifiable(kind) {
			add(".kinds", "%q is no notifiable kind", kind)
		}
	}
	for _, id := range c.Recipients {
		if !slices.ContainsFunc(l.Recipients, func(t Term) bool { return t.ID == id }) {
			add(".recipients", "no recipient %q", id)
		}
	}
	if len(c.Kinds) == 0 || len(c.Recipients) == 0 || c.Source == "" || c.BN == "" {
		add("", "a clause needs kinds, recipients, a source and its name in Bangla")
	}
	if c.Starts != startsAware && c.Starts != startsDeath {
		add(".starts", "%q is neither %s nor %s", c.Starts, startsAware, startsDeath)
	}
	if c.MetBy != "" && c.MetBy != metByReceipt {
		add(".met_by", "%q is not %s", c.MetBy, metByReceipt)
	}
	if !c.Deadline.valid() {
		add(".deadline", "give exactly one of immediate, working_days, days, half_year_days, above zero")
	}
	checkDates(c.From, c.To, add)
}

func checkDates(from, to string, add func(field, format string, args ...any)) {
	if _, err := time.Parse(time.DateOnly, from); err != nil {
		add(".from", "%q is no date of the form YYYY-MM-DD", from)
	}
	if _, err := time.Parse(time.DateOnly, to); err != nil && to != "" {
		add(".to", "%q is no date of the form YYYY-MM-DD", to)
	}
}

func weekday(word string) (time.Weekday, bool) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(day.String(), word) || strings.EqualFold(day.String()[:3], word) {
			return day, true
		}
	}
	return 0, false
}

// dayOff returns the days on which site does not work, for working-day
// arithmetic: its weekly holiday, and those of its holidays that are gazetted.
func dayOff(site safety.Site) (weekly []time.Weekday, holidays map[string]bool) {
	for word := range strings.FieldsFuncSeq(site.Factory.WeeklyHoliday, func(r rune) bool { return r == ',' || r == ' ' }) {
		if day, ok := weekday(word); ok {
			weekly = append(weekly, day)
		}
	}
	holidays = map[string]bool{}
	for _, h := range site.Factory.Calendar {
		holidays[h.Date] = h.Gazetted
	}
	return weekly, holidays
}

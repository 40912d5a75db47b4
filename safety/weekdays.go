package safety

import (
	"fmt"
	"strings"
)

var weekdays = [7]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Weekdays reads days of the week: names or their first three letters, ranges
// (sat-thu passes the weekend), several with commas. The result is indexed by
// time.Weekday. A mistake wraps ErrInvalid.
func Weekdays(text string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("days %q: want such as friday, or sat-thu: %w", text, ErrInvalid)
		}
		for day := from; ; day = (day + 1) % 7 {
			days[day] = true
			if day == to {
				break
			}
		}
	}
	return days, nil
}

func weekday(word string) int {
	word = strings.TrimSpace(word)
	for i, name := range weekdays {
		if word == name || word == name[:3] {
			return i
		}
	}
	return -1
}

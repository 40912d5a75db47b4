package ruletest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"nirapod/safety"
)

var word = regexp.MustCompile(`^(_|~?-?[0-9.]+(?:e[0-9]+)?|[a-z_]+?)([+-][0-9.]+)?(?:x([0-9]+))?$`)

// maxSamples bounds a series: a day at one a second.
const maxSamples = 86_400

// expand reads a series: words separated by blanks. A word is a number, a
// number after ~ (uncertain), a reason (bad) or _ (nothing comes, a reading
// without a sensor); axN stands for N times a, a+bxN for a, a+b, a+2b, ...
func expand(sensor, text string) ([]safety.Reading, error) {
	var out []safety.Reading
	for w := range strings.FieldsSeq(text) {
		part := word.FindStringSubmatch(w)
		if part == nil {
			return nil, fmt.Errorf("series of %s: %q is no sample: %w", sensor, w, safety.ErrInvalid)
		}
		times := 1
		if part[3] != "" {
			times, _ = strconv.Atoi(part[3])
		}
		if times < 1 || len(out)+times > maxSamples {
			return nil, fmt.Errorf("series of %s: %q is too long: %w", sensor, w, safety.ErrInvalid)
		}
		r, err := sample(sensor, part[1])
		if err != nil {
			return nil, err
		}
		step, _ := strconv.ParseFloat(part[2], 64)
		for i := range times {
			next := r
			next.Value += float64(i) * step
			out = append(out, next)
		}
	}
	return out, nil
}

func sample(sensor, w string) (safety.Reading, error) {
	if w == "_" {
		return safety.Reading{}, nil
	}
	if reason := safety.Reason(w); reason.Known() {
		return safety.Reading{Sensor: sensor, Reason: reason}, nil
	}
	r := safety.Reading{Sensor: sensor, Quality: safety.Good}
	if rest, ok := strings.CutPrefix(w, "~"); ok {
		r.Quality, r.Reason, w = safety.Uncertain, safety.Stuck, rest
	}
	v, err := strconv.ParseFloat(w, 64)
	if err != nil {
		return r, fmt.Errorf("series of %s: %q is neither a number nor a reason: %w", sensor, w, safety.ErrInvalid)
	}
	r.Value = v
	return r, nil
}

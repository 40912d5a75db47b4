package rules

import (
	"encoding/json"
	"errors"
)

// premisesKey is the key of the state of the place. Points are hexadecimal, so
// it is none.
const premisesKey = "premises"

// savedPlace is what the readings' windows do not hold: which exits are proved,
// which gateways are without mains. Times are ms.
type savedPlace struct {
	Proved map[string]int64       `json:"proved,omitempty"`
	Mains  map[string]savedSupply `json:"mains,omitempty"` // by gateway
}

type savedSupply struct {
	Out  bool   `json:"out,omitempty"`
	Back *int64 `json:"back,omitempty"`
}

var errPlace = errors.New("unreadable state of the place")

// savePlace adds to a snapshot what changed of the place, or all of it.
func (e *Engine) savePlace(out map[string][]byte, all bool) {
	if e.placed || all && (len(e.exits) > 0 || len(e.supplies) > 0) {
		s := savedPlace{Proved: map[string]int64{}, Mains: map[string]savedSupply{}}
		for _, x := range e.exits {
			if x.proved != never {
				s.Proved[x.spec.ID] = x.proved
			}
		}
		for gateway, p := range e.supplies {
			s.Mains[gateway] = savedSupply{p.out, moment(p.back)}
		}
		out[premisesKey] = mustMarshal(s)
	}
	e.placed = false
	e.saveIsolations(out, all)
}

func mustMarshal(v any) []byte {
	blob, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain words and whole numbers always marshal
	}
	return blob
}

// loadPlace takes a state of the place and reports whether the key is one.
func (e *Engine) loadPlace(key string, blob []byte) (known bool, err error) {
	if key == isolationsKey {
		return true, e.loadIsolations(blob)
	}
	if key != premisesKey {
		return false, nil
	}
	var s savedPlace
	if json.Unmarshal(blob, &s) != nil {
		return true, errPlace
	}
	for _, x := range e.exits {
		if at, proved := s.Proved[x.spec.ID]; proved {
			x.proved = at
		}
	}
	for gateway, p := range e.supplies {
		if saved, known := s.Mains[gateway]; known {
			p.out, p.back = saved.Out, orNever(saved.Back)
		}
	}
	return true, nil
}

package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// request is one line of the world channel. Op is outputs, forget, registers,
// state, inject, repair, set or jump.
type request struct {
	Op      string        `json:"op"`
	Fault   *Fault        `json:"fault,omitempty"`   // inject
	Target  string        `json:"target,omitempty"`  // repair
	Setting *Setting      `json:"setting,omitempty"` // set
	To      time.Duration `json:"to,omitempty"`      // jump
}

// control answers the world channel.
func (s *Server) control(line []byte) ([]byte, error) {
	var r request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("not a request: %w", err)
	}
	answer, err := s.do(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func (s *Server) do(r request) (any, error) {
	now := s.elapsed()
	switch {
	case r.Op == "outputs":
		return s.world.Outputs(), nil
	case r.Op == "forget":
		s.world.Forget()
		return nil, nil
	case r.Op == "registers":
		return s.world.Registers(now), nil
	case r.Op == "state":
		return s.world.State(now), nil
	case r.Op == "inject" && r.Fault != nil:
		return nil, s.world.Inject(now, *r.Fault)
	case r.Op == "repair":
		return nil, s.world.Repair(now, r.Target)
	case r.Op == "set" && r.Setting != nil:
		return nil, s.world.Set(now, *r.Setting)
	case r.Op == "jump":
		return nil, s.jump(now, r.To)
	}
	return nil, fmt.Errorf("request %q is not known, or lacks its part", r.Op)
}

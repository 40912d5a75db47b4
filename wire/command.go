package wire

import (
	"slices"
	"time"

	"nirapod/safety"
)

// The kinds of commands. None silences an evacuation sounder.
const (
	// CommandAck tells a gateway that a person acknowledged a point: it silences
	// the staff alert there.
	CommandAck = "ack"
	// CommandPermit hands over a permit to work, with those of its sensors that
	// the gateway reads.
	CommandPermit = "permit"
	// CommandPermitEnd ends a permit before its time.
	CommandPermitEnd = "permit-end"
	// CommandTested says that sensors were tested after their permit.
	CommandTested = "self-tested"
)

var commands = []string{CommandAck, CommandPermit, CommandPermitEnd, CommandTested}

// Command is what the server asks of a gateway.
type Command struct {
	ID       string         `json:"id"`                   // for the gateway to take a repeated one once
	Kind     string         `json:"kind"`                 // one of the above
	Point    string         `json:"point,omitempty"`      // 16 hex digits; CommandAck
	Permit   *safety.Permit `json:"permit,omitempty"`     // CommandPermit
	PermitID string         `json:"permit_id,omitempty"`  // CommandPermitEnd, CommandTested
	Sensors  []string       `json:"sensor_ids,omitempty"` // CommandTested
	By       string         `json:"by"`                   // who decided, for the record
	Expires  time.Time      `json:"expires"`              // UTC, whole ms; afterwards the gateway ignores it
}

// Validate returns an error wrapping safety.ErrInvalid unless c can be sent.
func (c Command) Validate() error {
	if err := checkToken("id", c.ID); err != nil {
		return err
	}
	if !slices.Contains(commands, c.Kind) {
		return invalid("kind %.40q: want one of %v", c.Kind, commands)
	}
	if err := c.validateSubject(); err != nil {
		return err
	}
	if err := checkText("by", c.By); err != nil {
		return err
	}
	return checkTime("expires", c.Expires)
}

func (c Command) validateSubject() error {
	switch c.Kind {
	case CommandAck:
		if len(c.Point) != 16 || !only(c.Point, hexChars) {
			return invalid("point %.40q: want 16 lower-case hex digits", c.Point)
		}
		return nil
	case CommandPermit:
		return c.validatePermit()
	case CommandTested:
		if err := checkSensors(c.Sensors); err != nil {
			return err
		}
	}
	return checkToken("permit_id", c.PermitID)
}

func (c Command) validatePermit() error {
	if c.Permit == nil {
		return invalid("permit: it is missing")
	}
	p := c.Permit
	if err := checkToken("permit id", p.ID); err != nil {
		return err
	}
	if err := checkID("zone_id", p.Zone); err != nil {
		return err
	}
	if err := checkSensors(p.Sensors); err != nil {
		return err
	}
	if err := checkTime("from", p.From); err != nil {
		return err
	}
	if err := checkTime("until", p.Until); err != nil {
		return err
	}
	for _, name := range []string{p.IssuedBy, p.AcceptedBy, p.Watch} {
		if err := checkText("a name in the permit", name); err != nil {
			return err
		}
	}
	return p.Validate()
}

func checkSensors(ids []string) error {
	if len(ids) == 0 || len(ids) > safety.MaxPermitSensors {
		return invalid("%d sensors: want 1 to %d", len(ids), safety.MaxPermitSensors)
	}
	for _, id := range ids {
		if err := checkID("sensor_ids", id); err != nil {
			return err
		}
	}
	return nil
}

// EncodeCommand returns c as JSON, or an error wrapping safety.ErrInvalid.
func EncodeCommand(c Command) ([]byte, error) { return encodeJSON(c, MaxMessage) }

// DecodeCommand reads a command; errors wrap safety.ErrInvalid.
func DecodeCommand(payload []byte) (Command, error) { return decodeJSON[Command](payload, MaxMessage) }

package wire

import "time"

// Presence says whether a gateway is connected. The one with Online false is
// the last will, made when the connection is: At is then the time of
// connecting, not of loss.
type Presence struct {
	Run    string    `json:"run"`
	Online bool      `json:"online"`
	At     time.Time `json:"at,omitzero"` // UTC, whole ms; zero if the clock is unsynced
}

// Validate returns an error wrapping safety.ErrInvalid unless p can be sent.
func (p Presence) Validate() error {
	if p.At.IsZero() {
		return checkRun(p.Run)
	}
	if err := checkTime("at", p.At); err != nil {
		return err
	}
	return checkRun(p.Run)
}

// EncodePresence returns p as JSON, or an error wrapping safety.ErrInvalid.
func EncodePresence(p Presence) ([]byte, error) { return encodeJSON(p, MaxMessage) }

// DecodePresence reads a presence; errors wrap safety.ErrInvalid.
func DecodePresence(payload []byte) (Presence, error) {
	return decodeJSON[Presence](payload, MaxMessage)
}

package agent

import (
	"time"

	"nirapod/wire"
)

// command takes a person's word that came over the network: it acknowledges one
// alert, or says what became of a permit, and nothing else. A box that does not
// know the time cannot tell whether the word is old, and takes none.
func (c *core) command(cmd wire.Command) {
	mono := c.clock.Mono()
	wall, _ := c.clock.Wall(mono)
	if wall.IsZero() || !wall.Before(cmd.Expires) {
		c.log.Warn("command is too old, or the clock is not synchronised", "id", cmd.ID, "by", cmd.By)
		return
	}
	if cmd.Kind == wire.CommandAck && cmd.Point == "" || cmd.Kind == wire.CommandPermit && cmd.Permit == nil {
		c.log.Warn("command refused", "id", cmd.ID, "kind", cmd.Kind)
		return
	}
	c.obey(cmd, mono, wall)
}

func (c *core) obey(cmd wire.Command, mono int64, wall time.Time) {
	switch cmd.Kind {
	case wire.CommandAck:
		c.log.Info("acknowledged", "by", cmd.By, "point", cmd.Point)
		c.ann.Acknowledge(c.moment(mono), cmd.Point)
		c.act()
	case wire.CommandPermit:
		c.permit(*cmd.Permit, mono, wall)
	case wire.CommandPermitEnd:
		c.permitEnds(cmd, mono)
	case wire.CommandTested:
		c.tested(cmd, mono)
	default:
		c.log.Warn("command refused", "id", cmd.ID, "kind", cmd.Kind)
	}
}

package control

import "github.com/seed42aab489/belfry/plugin/control/contract"

// What Control shows, under the names by which its callers know it; the rooms
// below know it from package contract.

type (
	// State is what a task is doing, in the words that administrators see.
	State            = contract.State
	TaskView         = contract.TaskView
	RunView          = contract.RunView
	NextView         = contract.NextView
	ServiceView      = contract.ServiceView
	OperationView    = contract.OperationView
	ResourceView     = contract.ResourceView
	EventView        = contract.EventView
	StatusView       = contract.StatusView
	NodeView         = contract.NodeView
	NodeState        = contract.NodeState
	DrainView        = contract.DrainView
	LeaderView       = contract.LeaderView
	BarrierView      = contract.BarrierView
	ClusterView      = contract.ClusterView
	RolloverView     = contract.RolloverView
	PlacedView       = contract.PlacedView
	PlacementView    = contract.PlacementView
	PlacedMemberView = contract.PlacedMemberView
	UnplacedView     = contract.UnplacedView
	BucketView       = contract.BucketView
)

// The constants of the contract.
const (
	Waiting           = contract.Waiting
	Running           = contract.Running
	Paused            = contract.Paused
	Blocked           = contract.Blocked
	Unplaced          = contract.Unplaced
	Finished          = contract.Finished
	Failed            = contract.Failed
	Unknown           = contract.Unknown
	ReasonNotStarted  = contract.ReasonNotStarted
	ReasonRetry       = contract.ReasonRetry
	ReasonReply       = contract.ReasonReply
	ReasonRun         = contract.ReasonRun
	ReasonTrigger     = contract.ReasonTrigger
	ReasonEnded       = contract.ReasonEnded
	ReasonExhausted   = contract.ReasonExhausted
	ReasonNoOwner     = contract.ReasonNoOwner
	ReasonNoNode      = contract.ReasonNoNode
	ReasonWaiting     = contract.ReasonWaiting
	ReasonUnreachable = contract.ReasonUnreachable
	ReasonCorrupt     = contract.ReasonCorrupt
	ReasonNoCalendar  = contract.ReasonNoCalendar
	StatusActive      = contract.StatusActive
	StatusInactive    = contract.StatusInactive
	StatusFailed      = contract.StatusFailed
	StatusRemote      = contract.StatusRemote
	NodeHealthy       = contract.NodeHealthy
	NodeJoining       = contract.NodeJoining
	NodeDraining      = contract.NodeDraining
	NodeDrained       = contract.NodeDrained
	NodeStopping      = contract.NodeStopping
	NodeClockOff      = contract.NodeClockOff
	NodeGone          = contract.NodeGone
)

// States is contract.States.
func States() []State { return contract.States() }

// Package task is the vocabulary of scheduling: what a task is, when it is to
// fire, what became of a firing. It is pure: values in, values out; no clock,
// no I/O, no logger. Everything here is safe to copy; nothing is safe to
// mutate concurrently.
//
// The words, which the whole module uses in this sense alone:
//
//   - task: a definition (WSO2: org.wso2.carbon.ntask.core.TaskInfo).
//   - trigger: when it fires (TaskInfo.TriggerInfo).
//   - firing: a task at one scheduled instant. Its fire id is
//     "<task uid>:<scheduled Unix ms>", or "<task uid>:m:<uuid>" when somebody
//     asked for it by hand.
//   - run: one attempt at a firing.
//   - claim: the committed right to run a firing.
//   - settle: to record how a run ended.
package task

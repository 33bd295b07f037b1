// The duty of each slot: which events of the vocabulary become which calls of a task-shaped module.
#ifndef MIRBFT_ENGINE_TASKS_HPP
#define MIRBFT_ENGINE_TASKS_HPP

#include <mirbft/engine/tasks/app.hpp>
#include <mirbft/engine/tasks/crypto.hpp>
#include <mirbft/engine/tasks/hasher.hpp>
#include <mirbft/engine/tasks/net.hpp>
#include <mirbft/engine/tasks/node.hpp>
#include <mirbft/engine/tasks/store.hpp>
#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/engine/tasks/wal.hpp>

#endif

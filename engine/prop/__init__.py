"""Prop-firm mode: another party's rules about drawdown, daily loss, size and hours, kept before they are broken.

preset     the rules as data, and what may stand in their file
loading    finds and reads a preset; a broken one stops entries, never the desk
days       where the firm's days and windows begin and end
ledger     what the rules are measured against, folded from the journal: each day's start, highs, breaches
meters     each rule's headroom now, if one trade stops out, and if all do
keeper     once a second: opens and closes days, marks highs, notes breaches, closes positions before the window ends
board      the picture of all this for the gate and for the screen
"""

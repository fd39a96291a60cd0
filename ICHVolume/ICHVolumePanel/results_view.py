"""The results table on screen: fills a QTableWidget from rows and reports what was typed, chosen or reset."""

import qt

from .colors import CORRECTED, colors_for, swatch_icon
from .results_table import CHOICE, TYPED, choices
from .translation import tr as _

NAME, AI, EDITED, NOTE = range(4)
ROW_HEIGHT = 18  # px, where the style takes so little


class ResultsView:
    """on_entry(key, text) for a typed cell, on_choice(key, value), on_reset(key) for a click on a corrected note."""

    def __init__(self, table, on_entry, on_choice, on_reset):
        self._table = table
        self._on_entry, self._on_choice, self._on_reset = on_entry, on_choice, on_reset
        self._rows = []
        self._combos = {}  # row number -> QComboBox
        self._filling = False
        table.setHorizontalHeaderLabels([_("Measure"), _("AI"), _("Edited"), ""])
        for column, width in ((NAME, 88), (AI, 46), (EDITED, 110)):
            table.setColumnWidth(column, width)
        table.connect("cellChanged(int,int)", self._cell_changed)
        table.connect("cellClicked(int,int)", self._cell_clicked)

    def show(self, rows) -> None:
        self._filling = True
        try:
            if [row.key for row in rows] != [row.key for row in self._rows]:
                self._lay_out(rows)
            self._rows = list(rows)
            for number, row in enumerate(rows):
                self._show_row(number, row)
        finally:
            self._filling = False

    def _lay_out(self, rows):
        table = self._table
        for number in self._combos:
            table.removeCellWidget(number, EDITED)
        self._combos = {}
        table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            table.setRowHeight(number, ROW_HEIGHT)
            for column in (NAME, AI, EDITED, NOTE):
                table.setItem(number, column, qt.QTableWidgetItem(""))
            if row.label:
                table.item(number, NAME).setIcon(swatch_icon(row.label))
            if row.entry == CHOICE:
                self._add_combo(number, row.key)
        header = table.horizontalHeader().sizeHint
        header_height = (header() if callable(header) else header).height()  # a property in PythonQt's eyes
        heights = sum(table.rowHeight(number) for number in range(len(rows)))  # some styles take more than was asked
        table.setFixedHeight(header_height + heights + 4)

    def _add_combo(self, number, key):
        combo = qt.QComboBox()
        for _value, text in choices(key):
            combo.addItem(text)
        combo.connect("activated(int)", lambda index: self._on_choice(key, choices(key)[index][0]))
        self._combos[number] = combo
        self._table.setCellWidget(number, EDITED, combo)

    def _show_row(self, number, row):
        color = colors_for(self._table)[CORRECTED]
        texts = {NAME: row.name, AI: row.ai, EDITED: "" if row.entry == CHOICE else row.edited, NOTE: row.note}
        for column, text in texts.items():
            item = self._table.item(number, column)
            item.setText(text)
            item.setToolTip(row.tooltip or row.note)
            flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
            typed = column == EDITED and row.entry == TYPED
            item.setFlags(flags | qt.Qt.ItemIsEditable if typed else flags)
            font = item.font()
            font.setBold((row.important and column != NOTE) or (row.corrected and column == EDITED))
            item.setFont(font)
            marked = row.corrected and column in (EDITED, NOTE)
            item.setForeground(qt.QBrush(qt.QColor(color)) if marked else qt.QBrush())
            if column in (AI, EDITED):
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        if number in self._combos:
            self._combos[number].setCurrentIndex([text for _value, text in choices(row.key)].index(row.edited))

    def _cell_changed(self, number, column):
        if self._filling or column != EDITED or self._rows[number].entry != TYPED:
            return
        row = self._rows[number]
        text = self._table.item(number, column).text()
        if text != row.edited:
            self._on_entry(row.key, text)

    def _cell_clicked(self, number, column):
        if column == NOTE and self._rows[number].corrected:
            self._on_reset(self._rows[number].key)

// Draws the levels that `/gex copy format:ninjatrader` or `python -m streaming levels` writes.
// NinjaScript Editor: new indicator "GexcordLevels", replace its text by this, compile (F5), add it to a chart, paste
// the text into the property "Levels".
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Windows.Media;
using NinjaTrader.NinjaScript.DrawingTools;

namespace NinjaTrader.NinjaScript.Indicators
{
    public class GexcordLevels : Indicator
    {
        [NinjaScriptProperty]
        [Display(Name = "Levels", Description = "The one line that Gexcord wrote", GroupName = "Gexcord")]
        public string Levels { get; set; }

        protected override void OnStateChange()
        {
            if (State == State.SetDefaults)
            {
                Name = "GexcordLevels";
                IsOverlay = true;
                Calculate = Calculate.OnBarClose;
                Levels = "";
            }
        }

        protected override void OnBarUpdate()
        {
            if (CurrentBar < 1 || string.IsNullOrEmpty(Levels))
                return;
            foreach (string part in Levels.Split(';'))
            {
                string[] fields = part.Split(',');
                double price;
                if (fields.Length != 2 || !double.TryParse(fields[1], NumberStyles.Float, CultureInfo.InvariantCulture, out price))
                    continue;
                Brush brush = fields[0].StartsWith("Call") ? Brushes.Green : fields[0].StartsWith("Put") ? Brushes.Red : Brushes.Orange;
                Draw.HorizontalLine(this, "gexcord " + fields[0], price, brush);
                Draw.Text(this, "gexcord label " + fields[0], fields[0], 0, price, brush);
            }
        }
    }
}
